"""YAML text to a pipeline, or everything that is wrong with it."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import Problem, SpecError
from pipelines.load import load_pipeline
from pipelines.spec import CanarySpec, Pipeline
from tests.support.definitions import FILE, HEAD, complaint, complaints, graphs, load, stages, with_cycle

BAD = """\
name: Shop_App
servce: shop
service: 3
stages:
  lint:
    needs: [tset, unit]
    steps:
    - uses: ruf
    - run: a
      uses: b
    - {run: x, timeout: 5x, env: {MY-VAR: "1", PORT: 80}}
  unit:
    needs: [lint]
    matrix: {py: [3.10, "3.11"], x: [[1]]}
    steps: pytest
  deploy:
    environment: prod
    release: {artifact: app, replicas: 0}
    rollout: {strategy: canary, setWeigth: 3, scaleDownDelay: soon, steps: [{setWeight: 120}]}
"""


def test_a_small_pipeline() -> None:
    pipeline = load(stages("test: {steps: [{run: make test}], timeout: 1h30m}"))
    assert pipeline.service == "shop"
    assert pipeline.stages["test"].steps[0].run == "make test"
    assert pipeline.stages["test"].timeout == 5400


def test_on_is_a_word_and_not_a_truth_value() -> None:
    pipeline = load(stages("a: {steps: [{run: ok}]}", head="on: {push: [main], release: false}\n"))
    assert pipeline.on.push == ["main"]
    assert pipeline.on.release is False


def test_both_spellings_of_rollout_words() -> None:
    text = stages(
        """
        pack: {steps: [{run: ok}], artifacts: [{name: app, paths: [dist]}]}
        prod:
          needs: [pack]
          environment: prod
          release: {process: {command: serve}}
          rollout: {strategy: canary, scale_down_delay: 1m, steps: [{set_weight: 5}, {setWeight: 50}]}
        """
    )
    rollout = load(text).stages["prod"].rollout
    assert isinstance(rollout, CanarySpec)
    assert [step.set_weight for step in rollout.steps] == [5, 50]
    assert rollout.scale_down_delay == 60


def test_every_problem_is_told_in_the_order_of_the_file() -> None:
    assert complaints(BAD) == [
        "1:7: 'Shop_App' is not a valid name: at most 63 lower-case letters, digits and '-', with no '-' at either end."
        " Write for example 'shop-app'",
        "2:1: 'servce' is not a word of the pipeline. Did you mean 'service'?",
        "3:10: 'service' must be a text, not the number 3. Quote it: \"3\"",
        "6:13: stage 'lint' needs 'tset', which does not exist. Known here: unit, deploy",
        "6:19: stages wait for each other: lint -> unit -> lint. Remove one of these needs",
        "8:13: there is no built-in check 'ruf'. Did you mean 'ruff'?",
        "9:7: a step has exactly one of 'run' (a command) or 'uses' (a built-in check). Remove one of them",
        "11:25: '5x' is not a duration; write for example 500ms, 30s, 5m, 1h30m or 7d. Correct 'timeout'",
        "11:35: 'MY-VAR' is not a valid name: letters, digits and '_', and no digit at first. Rename it",
        "11:54: 'PORT' must be a text, not a number or truth value. Put it into quotes",
        '14:19: 3.10 is read as the number 3.1. Quote it: "3.10"',
        "14:38: 'x[0]' must be a text, not a list. Write a text",
        "15:12: 'steps' must be a list, not the text 'pytest'. Write [pytest]",
        "18:40: 'replicas' must be at least 1, not the number 0. Correct 'replicas'",
        "19:33: 'setWeigth' is not a word of 'rollout' of stage 'deploy'. Known here: deadline, scaleDownDelay, drain, analysis,"
        " approval, approvalTimeoutAction, whenBusy, strategy, steps",
        "19:63: 'soon' is not a duration; write for example 500ms, 30s, 5m, 1h30m or 7d. Correct 'scaleDownDelay'",
        "19:89: 'setWeight' must be at most 100, not the number 120. Correct 'setWeight'",
    ]


def test_the_error_lists_its_problems_and_says_them() -> None:
    with pytest.raises(SpecError) as caught:
        load(BAD)
    problems = caught.value.problems
    assert all(isinstance(problem, Problem) and problem.file == FILE for problem in problems)
    assert (problems[1].line, problems[1].column, problems[1].remedy) == (2, 1, "Did you mean 'service'?")
    assert str(caught.value).splitlines() == [str(problem) for problem in problems]
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: the file is empty. Begin with 'name: my-service'"),
        ("# nothing\n", "1:1: the file is empty"),
        ("- a\n", "1:1: a pipeline is a mapping of words to values"),
        ("just words", "1:1: a pipeline is a mapping"),
        (f"{HEAD}stages: {{}}\n", "3:9: 'stages' must not be empty"),
        (f"{HEAD}stages:\n", "3:8: 'stages' must be a mapping, not empty. Give it a value, or remove the key"),
        (f"{HEAD}stages: [a]\n", "3:9: 'stages' must be a mapping, not a list"),
        (HEAD, "1:1: 'stages' is missing in the pipeline. Add 'stages:'"),
        (stages("a: {steps: [{run: ok}]}", head="version: 2\n"), "3:10: 'version' must be one of 1, not the number 2"),
        (stages("A_b: {steps: [{run: ok}]}"), "4:3: 'A_b' is not a valid name"),
        (stages("a:"), "4:5: 'a' must be a mapping, not empty"),
        (stages("a: {}"), "4:3: the stage does nothing. Give it one of steps, gate"),
        (stages("a: {stpes: []}"), "4:7: 'stpes' is not a word of stage 'a'. Did you mean 'steps'?"),
        (stages("a: {steps: [run]}"), "4:15: 'steps[0]' must be a mapping, not the text 'run'"),
        (stages("a: {steps: [{}]}"), "4:15: a step has exactly one of 'run' (a command) or 'uses' (a built-in check). Add 'run"),
        (stages("a: {steps: [{run: ok}], needs: b}"), "4:34: 'needs' must be a list, not the text 'b'. Write [b]"),
        (stages("a: {steps: [{run: ok}], needs: [a]}"), "4:35: stages wait for each other: a -> a"),
        (stages("a: {steps: [{run: ok}], when: {event: [psh]}}"), "4:42: 'event[0]' must be one of push, pull_request"),
        (stages("a: {steps: [{run: ok, secrets: [T]}]}"), "4:35: stage 'a' uses secret 'T', which is not in the pipeline's"),
        (stages("a: {steps: [{run: ok}], secrets: [T]}", head="secrets: {U: {env: U}}\n"), "5:37: stage 'a' uses secret 'T'"),
        (stages("a: {steps: [{run: ok}], timeout: 0}"), "4:36: 'timeout' must be more than 0, not the number 0"),
        (stages("a: {steps: [{run: ok}], timeout: -5}"), "4:36: 'timeout' must be at least 0, not the number -5"),
        (stages("a: {steps: [{run: ok}], allow_failure: maybe}"), "4:42: 'allow_failure' must be true or false, not the text"),
        (stages("a: {steps: [{run: ok}], retry: {failure: 1.5}}"), "4:44: 'failure' must be a whole number, not the number 1.5"),
        (stages("a: {steps: [{run: ok}], retry: {failure: x}}"), "4:44: 'failure' must be a whole number, not the text 'x'"),
        (stages("a: {steps: [{run: ok}], env: {1A: x}}"), "4:33: '1A' is not a valid name"),
        (stages("a: {gate: {min_coverage: high}}"), "4:28: 'min_coverage' must be a number, not the text 'high'"),
        (stages("a: {gate: {max_findings: {hihg: 0}}}"), "4:29: 'hihg' must be one of info, low, medium, high, critical"),
        (
            stages("a: {gate: {baseline: [{fingerprint: x, owner: o, reason: r, expires: soon}]}}"),
            "4:72: 'expires' must be a day such as 2026-12-31, not the text 'soon'",
        ),
        (stages("a: {gate: {baseline: [{owner: o, reason: r, expires: 2026-01-31}]}}"), "4:25: 'fingerprint' is missing in"),
        (stages("a: {environment: Prod!}"), "4:20: 'Prod!' is not a valid name"),
        (stages("a: {environment: prod, release: {process: {}}}"), "4:36: 'command' is missing in 'process' of stage 'a'"),
        (stages("a: {steps: [{run: ok}], checks: [{path: /}]}"), "4:27: a stage with 'checks' needs an 'environment'"),
        (stages("a: {steps: [{run: ok}], rollout: {strategy: rolling}}"), "4:27: a stage with 'rollout' needs a 'release'"),
        (stages("a: {release: {process: {command: x}}}"), "4:7: a stage with 'release' needs an 'environment'"),
        (f"{HEAD}stages: {{a: {{steps: [{{run: ok}}]}}, a: {{steps: []}}}}", "3:35: 'a' is given twice, first in line 3"),
        (
            stages("a: {steps: [{run: ok}]}", head="secrets: {T: {}}\n"),
            "3:14: a secret reference has exactly one of env, file or",
        ),
    ],
)
def test_what_is_wrong_where_and_what_to_do(text: str, expected: str) -> None:
    found = complaint(text)
    assert found.startswith(expected)
    assert ". " in found, "no remedy"


ROLLOUT = """
pack: {{steps: [{{run: ok}}], artifacts: [{{name: app, paths: [dist]}}]}}
prod:
  needs: [pack]
  environment: prod
  release: {{process: {{command: serve}}}}
  rollout: {rollout}
"""


@pytest.mark.parametrize(
    ("rollout", "expected"),
    [
        ("{steps: [{setWeight: 5}]}", "9:5: 'rollout' does not say its strategy. Add 'strategy: canary'"),
        (
            "{strategy: canari}",
            "9:25: 'strategy' must be one of canary, blue-green, rolling, not the text 'canari'. Did you mean",
        ),
        ("{strategy: canary}", "9:5: 'steps' is missing in 'rollout' of stage 'prod'"),
        ("{strategy: canary, steps: []}", "9:40: 'steps' must not be empty"),
        ("{strategy: canary, steps: [{}]}", "9:41: a canary step has exactly one of setWeight, pause or analysis"),
        ("{strategy: canary, steps: [{setWeight: 5, pause: {}}]}", "9:41: a canary step has exactly one of"),
        ("{strategy: canary, steps: [{setWeight: 50}, {setWeight: 5}]}", "9:40: setWeight must not fall"),
        ("{strategy: canary, steps: [{analysis: true}]}", "9:40: a step says analysis: true, but the rollout has no 'analysis'"),
        ("{strategy: canary, steps: [{set_weight: 101}]}", "9:54: 'set_weight' must be at most 100, not the number 101"),
        (
            "{strategy: canary, steps: [{pause: {duraton: 5}}]}",
            "9:50: 'duraton' is not a word of 'pause' of stage 'prod'. Did you",
        ),
        (
            "{strategy: blue-green, autoPromotion: true}",
            "9:37: 'autoPromotion' is not a word of 'rollout' of stage 'prod'. Did you",
        ),
        ("{strategy: rolling, maxSurge: 0}", "9:14: maxSurge and maxUnavailable cannot both be 0"),
        ("{strategy: rolling, deadline: 0s}", "9:44: 'deadline' must be more than 0"),
        ("rolling", "9:14: 'rollout' must be a mapping, not the text 'rolling'"),
    ],
)
def test_what_is_wrong_with_a_rollout(rollout: str, expected: str) -> None:
    found = complaint(stages(ROLLOUT.format(rollout=rollout)))
    assert found.startswith(expected)


def test_rules_are_asked_of_the_right_stages_of_a_wrong_file() -> None:
    text = stages(
        """
        bad: {steps: [{run: ok, timeout: x}], needs: [nobody]}
        good: {steps: [{uses: nothing}], needs: [bda]}
        """
    )
    found = complaints(text)
    assert [line.split(". ")[0] for line in found] == [
        "4:36: 'x' is not a duration; write for example 500ms, 30s, 5m, 1h30m or 7d",
        "4:49: stage 'bad' needs 'nobody', which does not exist",
        "5:25: there is no built-in check 'nothing'",
        "5:44: stage 'good' needs 'bda', which does not exist",
    ]


def test_nothing_is_said_that_another_error_may_be_the_cause_of() -> None:
    """The stage that makes the artifact cannot be read; the one that releases it is right."""
    text = stages(
        """
        pack: {steps: [{run: ok}], artifacts: [{name: app, pahts: [dist]}]}
        prod: {needs: [pack], environment: prod, release: {process: {command: serve}}}
        """
    )
    assert all("artifacts[0]" in line for line in complaints(text))


def test_a_misspelled_part_is_not_told_as_missing_as_well() -> None:
    found = complaints(stages("a: {enviroment: prod, release: {process: {command: x}, artifact: app}}"))
    assert [line for line in found if "needs an 'environment'" in line] == []
    assert any("Did you mean 'environment'?" in line for line in found)


@pytest.mark.parametrize("secret", ["{T: hunter2-secret}", "{T: {env: 'hunter2-secret!'}}", "{T: {vaule: hunter2-secret}}"])
def test_a_secret_that_somebody_wrote_into_the_file_is_not_repeated(secret: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(stages("a: {steps: [{run: ok}]}", head=f"secrets: {secret}\n"))
    assert "hunter2" not in str(caught.value)


def test_anchors_are_told_where_they_are_written() -> None:
    text = stages(
        """
        a: {steps: &steps [{run: ok, timeout: x}]}
        b: {steps: *steps}
        """
    )
    assert complaints(text) == [complaints(text)[0]]
    assert complaints(text)[0].startswith("4:41: 'x' is not a duration")


def test_a_bomb_of_aliases_is_one_problem() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + level)}: &{chr(98 + level)} [{', '.join([f'*{chr(97 + level)}'] * 9)}]" for level in range(12)]
    assert complaint("\n".join(lines)).startswith("1:1: the file stands for more than")


@given(graphs())
def test_any_dag_is_loaded_with_its_needs(needs: dict[str, list[str]]) -> None:
    given = {name: {"needs": wanted, "steps": [{"run": "ok"}]} for name, wanted in needs.items()}
    pipeline = load(yaml.safe_dump({"name": "p", "service": "p", "stages": given}, sort_keys=False))
    assert {name: stage.needs for name, stage in pipeline.stages.items()} == needs
    assert list(pipeline.stages) == list(needs)
    assert Pipeline.model_validate_json(pipeline.model_dump_json()) == pipeline


@given(with_cycle())
def test_every_cycle_is_refused_with_a_place(needs: dict[str, list[str]]) -> None:
    given = {name: {"needs": wanted, "steps": [{"run": "ok"}]} for name, wanted in needs.items()}
    found = complaints(yaml.safe_dump({"name": "p", "service": "p", "stages": given}, sort_keys=False))
    assert all("stages wait for each other" in line for line in found)
    assert all(int(line.split(":")[0]) > 3 for line in found)


WORDS = st.sampled_from(
    [
        "name",
        "service",
        "stages",
        "steps",
        "run",
        "uses",
        "needs",
        "matrix",
        "rollout",
        "strategy",
        "canary",
        "env",
        "with",
        "on",
        "a",
    ]
)
NOISE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


@given(NOISE)
def test_whatever_stands_in_a_file_is_a_pipeline_or_problems_with_places(data: Any) -> None:
    _loads_or_tells(data)


@given(st.dictionaries(WORDS, NOISE, max_size=6))
def test_whatever_stands_in_a_stage_is_a_stage_or_problems_with_places(stage: Any) -> None:
    _loads_or_tells({"name": "p", "service": "p", "stages": {"s": stage, "t": {"steps": [{"run": "ok"}]}}})


def _loads_or_tells(data: Any) -> None:
    text = yaml.safe_dump(data)
    try:
        pipeline = load_pipeline(text, FILE)
    except SpecError as error:
        assert error.problems
        assert all(problem.message and 1 <= problem.line <= text.count("\n") + 1 for problem in error.problems)
    else:
        assert Pipeline.model_validate_json(pipeline.model_dump_json()) == pipeline
