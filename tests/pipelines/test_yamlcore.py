"""YAML 1.2's core schema."""

import pytest
import yaml

from pipelines.yamlcore import DEEPEST, compose, kind_of, scalar


def value(text: str) -> object:
    node = compose(text)
    assert isinstance(node, yaml.ScalarNode)
    return scalar(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("tRue", "tRue"),
        ("~", None),
        ("null", None),
        ("'null'", "null"),
        ("12", 12),
        ("-3", -3),
        ("+3", 3),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1e3", -1000.0),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1.2.3", "1.2.3"),
        ("2026-01-31", "2026-01-31"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
        ("'é \U0001f600'", "é \U0001f600"),
    ],
)
def test_scalars_are_read_as_yaml_1_2_says(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("9999999999999999999", "too large"),
        ("9" * 5000, "too large"),
        ("1e999", "too large"),
        ("!!binary aGk=", "tag !binary"),
        ("!!python/name:os.system ''", "tag !python/name:os.system"),
        ("!mine x", "tag !mine"),
        ("!!bool maybe", "not a bool"),
        ("!!null x", "not a null"),
        ("!!int x", "invalid literal"),
        ("!!timestamp 2026-01-01", "tag !timestamp"),
    ],
)
def test_what_the_core_schema_does_not_know_is_an_error(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        value(text)


def test_nothing_in_a_file_runs_code() -> None:
    node = compose("a: !!python/object/apply:os.system ['exit 1']")
    assert isinstance(node, yaml.MappingNode)
    assert kind_of(node.value[0][1]) == "python/object/apply:os.system"


@pytest.mark.parametrize("text", ["", "# only words\n", "---\n", "\n\n"])
def test_an_empty_document_is_nothing(text: str) -> None:
    node = compose(text)
    assert node is None or scalar(node) is None


def test_depth_has_an_end() -> None:
    assert compose("[" * DEEPEST + "]" * DEEPEST) is not None
    with pytest.raises(yaml.composer.ComposerError, match="nested deeper than 64") as caught:
        compose("[" * 5000)
    assert caught.value.problem_mark.column == DEEPEST


def test_two_documents_are_an_error() -> None:
    with pytest.raises(yaml.composer.ComposerError, match="single document"):
        compose("a: 1\n---\nb: 2\n")
