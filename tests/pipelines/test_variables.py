"""${var.name} in a pipeline file."""

from tests.support.definitions import complaint, complaints, load, stages

TEXT = stages(
    """
    test:
      env: {GREETING: "${var.greeting}, ${HOME}"}
      steps:
      - run: echo "${var.greeting}" ${other.greeting}
      - uses: ruff
        with: {paths: ["${var.folder}"]}
    """,
    head="variables: {greeting: hello, folder: src}\n",
)


def test_defaults_are_filled_in_everywhere() -> None:
    stage = load(TEXT).stages["test"]
    assert stage.env == {"GREETING": "hello, ${HOME}"}
    assert stage.steps[0].run == 'echo "hello" ${other.greeting}'
    assert stage.steps[1].options == {"paths": ["src"]}


def test_given_values_win_and_are_kept() -> None:
    pipeline = load(TEXT, greeting="ahoy")
    assert pipeline.stages["test"].env["GREETING"] == "ahoy, ${HOME}"
    assert pipeline.variables == {"greeting": "ahoy", "folder": "src"}


def test_a_value_is_text_and_never_yaml_nor_read_again() -> None:
    value = '"]}\n      - run: evil\n${var.folder}'
    stage = load(TEXT, greeting=value).stages["test"]
    assert len(stage.steps) == 2
    assert stage.env["GREETING"] == f"{value}, ${{HOME}}"


def test_a_name_without_a_value_is_told_where_it_stands() -> None:
    text = stages("a: {steps: [{run: 'echo ${var.greting}'}]}", head="variables: {greeting: hello}\n")
    assert complaint(text) == "5:21: '${var.greting}' is not known here. Did you mean 'var.greeting'?"
    assert "is not known here" in complaint(stages("a: {steps: [{run: 'echo ${var.x}'}]}"))


def test_a_value_for_a_name_that_is_not_declared_is_told() -> None:
    assert complaint(TEXT, greting="x") == "3:12: the pipeline has no variable 'greting'. Add 'greting' to the file's 'variables'"


def test_long_values_are_refused() -> None:
    assert "has more than 1000 characters" in complaint(TEXT, greeting="x" * 1001)


def test_numbers_can_come_from_variables() -> None:
    text = stages("a: {timeout: '${var.limit}', steps: [{run: ok}]}", head="variables: {limit: 5m}\n")
    assert load(text).stages["a"].timeout == 300
    assert "'soon' is not a duration" in complaint(text, limit="soon")


def test_wrong_variables_are_told_like_anything_else() -> None:
    text = stages("a: {steps: [{run: ok}]}", head="variables: {limit: 5, 1x: a}\n")
    found = complaints(text)
    assert "3:20: 'limit' must be a text, not the number 5. Quote it: \"5\"" in found
    assert any("'1x' is not a valid name" in line for line in found)
