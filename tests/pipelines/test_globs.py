"""Globs over branches and paths."""

import fnmatch
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.globs import matches

TEXTS = st.text("ab/.-", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("main", ["main"], ["mains", "a/main", "", "Main"]),
        ("*", ["main", "", "a.b"], ["a/b", "/"]),
        ("**", ["", "main", "a/b/c"], []),
        ("release/*", ["release/1", "release/"], ["release", "release/1/2", "x/release/1"]),
        ("release/**", ["release/1", "release/1/2"], ["release"]),
        ("src/**/*.py", ["src/a.py", "src/a/b.py", "src/a/b/c.py"], ["src/a.pyc", "a.py", "lib/src/a.py", "src/a/py"]),
        ("**/*.md", ["README.md", "docs/a.md", "a/b/c.md"], ["a.md/x", "mdx"]),
        ("**/docs/**", ["docs/a", "a/docs/b/c"], ["docs", "xdocs/a"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb", "a/b/c"]),
        ("v?.[0-9]", ["v1.2", "vx.0"], ["v12.3", "v1.x", "v/.1"]),
        ("[!a-c]x", ["dx", "-x"], ["ax", "bx", "/x", "x"]),
        ("[]a]", ["]", "a"], ["b", "[]a]"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[abc", ["[abc"], ["a"]),
        ("a+(b)|c.$^", ["a+(b)|c.$^"], ["aab", "c"]),
        ("feature/\u00e9*", ["feature/\u00e9t\u00e9"], ["feature/ete"]),
        ("", [""], ["a"]),
    ],
)
def test_what_a_glob_matches(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes if not matches(text, [pattern])] == []
    assert [text for text in no if matches(text, [pattern])] == []


def test_one_of_several_is_enough_and_none_matches_nothing() -> None:
    assert matches("b", ["a", "b"])
    assert not matches("b", [])


@given(TEXTS)
def test_a_text_without_wildcards_matches_itself_only(text: str) -> None:
    assert matches(text, [text])
    assert not matches(f"{text}a", [text])
    assert matches(text, ["**"])
    assert matches(text, ["*"]) == ("/" not in text)


@given(st.text("ab", max_size=10), st.text("ab*?", max_size=8).filter(lambda pattern: "**" not in pattern))
def test_without_folders_it_agrees_with_the_standard_library(text: str, pattern: str) -> None:
    assert matches(text, [pattern]) == fnmatch.fnmatchcase(text, pattern)


def _expression(pattern: str) -> str:
    """The same language as a regular expression, which may take its time."""
    parts = re.findall(r"\*\*/|\*\*|.", pattern)
    known = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(part, re.escape(part)) for part in parts)


@given(st.from_regex(r"[ab]{1,2}(/[ab]{1,2}){0,3}", fullmatch=True), st.text("ab/*?", max_size=7))
def test_with_folders_it_agrees_with_a_regular_expression(text: str, pattern: str) -> None:
    if "**" in pattern.replace("**/", "").replace("/**", ""):
        return
    assert matches(text, [pattern]) == (re.fullmatch(_expression(pattern), text) is not None)


@given(st.text(string.printable, max_size=20), st.text(string.printable, max_size=20))
def test_no_pattern_is_an_error(text: str, pattern: str) -> None:
    assert matches(text, [pattern]) in (True, False)


@pytest.mark.timeout(60)
def test_a_hostile_pattern_comes_to_an_end() -> None:
    """Backtracking would try more ways than there are nanoseconds in a year."""
    assert not matches("a" * 1000, ["*a" * 40 + "b"])
    assert not matches("a/" * 500, ["**/a" * 40 + "b"])
