"""Texts with ${name} in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import SpecError
from pipelines.template import did_you_mean, fill, fill_all, fill_prefixed, placeholders

VALUES = {"repo": "acme/shop", "branch": "${repo}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("${repo}", "acme/shop"),
        ("deploy/${repo}/${branch}!", "deploy/acme/shop/${repo}!"),
        ("$${repo}", "${repo}"),
        ("$repo $$ {repo}", "$repo $$ {repo}"),
        ("$$${repo}", "$${repo}"),
    ],
)
def test_filled_in_once(text: str, expected: str) -> None:
    assert fill(text, VALUES) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${rep}", "'${rep}' is not known here. Did you mean 'repo'?"),
        ("${zzz}", "'${zzz}' is not known here. Known here: repo, branch"),
        ("a ${}", "'${}' is not known here"),
        ("a ${repo", "'${repo' has no closing brace"),
        ("${ repo }", "'${ repo }' is not known here"),
    ],
)
def test_what_cannot_be_filled_in_is_told(text: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        fill(text, VALUES)
    assert words in str(caught.value)


def test_with_a_prefix_everything_else_stays() -> None:
    text = "${matrix.py} ${HOME:-x} ${repo} $${matrix.py} ${matrixpy} ${HOME"
    assert fill_prefixed(text, "matrix", {"py": "3"}) == "3 ${HOME:-x} ${repo} $${matrix.py} ${matrixpy} ${HOME"


@pytest.mark.parametrize("text", ["${matrix.os}", "${matrix.}", "${matrix.py"])
def test_with_a_prefix_unknown_names_are_told(text: str) -> None:
    with pytest.raises(SpecError, match="matrix"):
        fill_prefixed(text, "matrix", {"py": "3"})


def test_lists_and_mappings_are_filled_in_but_not_keys() -> None:
    data = {"${var.a}": ["${var.a}", {"x": "-${var.a}-"}, 3, None, True]}
    assert fill_all(data, "var", {"a": "1"}) == {"${var.a}": ["1", {"x": "-1-"}, 3, None, True]}


@given(st.text(max_size=30))
def test_a_text_without_dollar_brace_stays_as_it_is(text: str) -> None:
    if "${" not in text:
        assert fill(text, {}) == text


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(max_size=8), min_size=1))
def test_values_are_put_in_as_they_are_and_never_read_again(values: dict[str, str]) -> None:
    text = "|".join(f"${{{name}}}" for name in values)
    assert fill(text, values) == "|".join(values.values())
    assert placeholders(text) == list(values)


def test_the_remedy_is_the_nearest_word_or_all() -> None:
    assert did_you_mean("stpes", ["steps", "needs"]) == "Did you mean 'steps'?"
    assert did_you_mean("quux", ["steps", "needs"]) == "Known here: steps, needs"
    assert did_you_mean("quux", []) == ""
