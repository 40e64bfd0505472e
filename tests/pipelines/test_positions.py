"""YAML text as data that knows where it stands, within bounds."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.positions import LONGEST, read


def told(text: str) -> list[str]:
    return [str(problem) for problem in read(text, "f").problems]


TEXT = """\
name: shop   # a remark
on:
  push: [main, "rel/*"]
stages:
  "test":
    steps:
    - run: |
        make
      env: {A: "1"}
"""


def test_values_and_keys_have_places() -> None:
    document = read(TEXT, "f")
    assert document.problems == []
    assert document.data == {
        "name": "shop",
        "on": {"push": ["main", "rel/*"]},
        "stages": {"test": {"steps": [{"run": "make\n", "env": {"A": "1"}}]}},
    }
    assert document.keys["on",] == (2, 1)
    assert document.values["on", "push", 1] == (3, 16)
    assert document.keys["stages", "test"] == (5, 3)
    assert document.values["stages", "test", "steps", 0] == (7, 7)
    assert document.keys["stages", "test", "steps", 0, "env", "A"] == (9, 13)
    assert document.values["stages", "test", "steps", 0, "env", "A"] == (9, 16)


def test_a_problem_points_at_the_nearest_thing_that_is_there() -> None:
    document = read(TEXT, "f")
    assert str(document.problem(("name",), "bad")) == "f:1:7: bad"
    assert str(document.problem(("name",), "bad", on_key=True)) == "f:1:1: bad"
    assert str(document.problem(("stages", "gone", "needs"), "bad", "Do this")) == "f:4:1: bad. Do this"
    assert str(document.problem(("gone",), "bad")) == "f:1:1: bad"
    assert str(read("", "f").problem(("gone",), "bad")) == "f: bad"


def test_anchors_aliases_and_merges() -> None:
    document = read("base: &b {x: 1, y: 2}\none: *b\ntwo: {y: 3, <<: *b}\nmany: {<<: [{x: 9}, *b]}\n", "f")
    assert document.problems == []
    assert document.data["one"] == {"x": 1, "y": 2}
    assert document.data["two"] == {"y": 3, "x": 1}
    assert document.data["many"] == {"x": 9, "y": 2}
    assert document.values["two", "y"] == (3, 10)
    assert document.values["two", "x"] == document.values["base", "x"] == (1, 14)


def test_a_quoted_merge_key_is_a_key() -> None:
    assert read('"<<": {a: 1}', "f").data == {"<<": {"a": 1}}


def test_keys_are_texts_whatever_they_look_like() -> None:
    assert read("3.10: a\ntrue: b\n~: c\n2026-01-01: d\n", "f").data == {"3.10": "a", "true": "b", "~": "c", "2026-01-01": "d"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\na: 4", ["f:3:1: 'a' is given twice, first in line 1. Keep one of them", "f:4:1: 'a' is given twice"]),
        ("a: {b: 1, b: 2}\nc: {d: 1, d: 2}", ["f:1:11: 'b' is given twice", "f:2:11: 'd' is given twice"]),
        ("1: a\n'1': b", ["f:2:1: '1' is given twice"]),
        ("a: [1", ["f:1:6: not valid YAML"]),
        ("a: b: c", ["f:1:5: not valid YAML: mapping values are not allowed here"]),
        ("a:\n\t- b", ["f:2:1: not valid YAML"]),
        ("a: *gone", ["f:1:4: not valid YAML: found undefined alias 'gone'"]),
        ("a: 1\n---\nb: 2", ["f:2:1: not valid YAML"]),
        ("a: \x07", ["f:1:4: not valid YAML: a control character. Remove it"]),
        ("a: 1\nbb: \x00", ["f:2:5: not valid YAML: a control character"]),
        ('a: "\\UFFFFFFFF"', ["f: not valid YAML: an escape stands for no character"]),
        ('a: "\\0"', ["f:1:4: the text holds NUL"]),
        ('a: "\\ud83d"', ["f:1:4: the text holds NUL or half a surrogate pair"]),
        ('"\\0": 1', ["f:1:1: the text holds NUL"]),
        ("? [a]\n: b", ["f:1:3: a key must be a text"]),
        ("a: !!python/object:os.system x", ["f:1:4: the tag !python/object:os.system is not supported"]),
        ("a: 1e999", ["f:1:4: the number 1e999 is too large. Quote it to make it a text"]),
        ("a: {<<: 3}", ["f:1:9: '<<' merges mappings only"]),
        ("a: {<<: [{x: 1}, 3]}", ["f:1:18: '<<' merges mappings only"]),
        ("&a [*a]", ["f:1:1: the anchor contains itself"]),
        ("a: &a {b: {c: *a}}", ["f:1:4: the anchor contains itself"]),
        ("a: &a {<<: *a}\nb: *a\nc: {<<: *a}", ["f:1:4: the anchor contains itself"]),
        ("a: " + "[" * 100, ["f:1:67: not valid YAML: nested deeper than 64 levels"]),
    ],
)
def test_what_is_wrong_with_the_yaml_is_told_with_its_place(text: str, expected: list[str]) -> None:
    found = told(text)
    assert len(found) >= len(expected)
    assert [line for line, words in zip(found, expected, strict=False) if not line.startswith(words)] == []


def _laughs(depth: int) -> str:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, depth)]
    return "\n".join(lines)


def _merges(depth: int) -> str:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{level}: &a{level} {{<<: [*a{level - 1}, *a{level - 1}]}}" for level in range(1, depth)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        _laughs(30),
        _merges(60),
        f"a: &a {'x' * 60_000}\nb: [{', '.join(['*a'] * 50)}]",
        f"a: [{'1,' * 40_000}]",
        "k: 1\n" * 20_000,
        "x" * (LONGEST + 1),
    ],
    ids=["billion laughs", "merges of merges", "long text often", "long list", "many keys", "long file"],
)
@pytest.mark.timeout(60)
def test_what_is_too_large_is_refused(text: str) -> None:
    document = read(text, "f")
    assert document.problems
    assert document.data is None or len(document.data) == 1


def test_numbers_that_are_read_otherwise_than_written_are_known() -> None:
    document = read("m: [3.10, 3.1, 1e3, '3.10', 10]", "f")
    assert document.respelled == {("m", 0): "3.10", ("m", 2): "1e3"}


@given(st.text(max_size=80))
def test_no_text_makes_it_raise(text: str) -> None:
    document = read(text, "f")
    assert all(problem.message for problem in document.problems)


PIECES = [*"[]{}:,-?!&*|>'\"#%@\n\t ", "a", "b: ", "- ", "<<: ", "*a ", "&a ", "\\x", "\\U", "1.0"]
YAMLISH = st.lists(st.sampled_from(PIECES), max_size=25)


@given(YAMLISH.map("".join))
def test_no_punctuation_makes_it_raise_and_places_lie_in_the_text(text: str) -> None:
    document = read(text, "f")
    lines = text.count("\n") + 2
    assert all(0 <= problem.line <= lines for problem in document.problems)


DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc: #'\"-\n", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcd", min_size=1, max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(DATA)
def test_what_another_program_wrote_is_read_as_it_was_meant(data: object) -> None:
    document = read(yaml.safe_dump(data, allow_unicode=True), "f")
    assert document.problems == []
    assert document.data == data
