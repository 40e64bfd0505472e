"""YAML 1.2's core schema on PyYAML's parser: `on`, `yes` and `2026-01-31` are texts, and nothing in a file can run code.

PyYAML itself follows YAML 1.1. See https://yaml.org/spec/1.2.2/#103-core-schema. The merge key `<<`, which 1.2 left out, is kept
because people use it; .inf and .nan are texts, because no word of the language can be either.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

DEEPEST = 64
"""Nesting that is refused beyond; a pipeline needs about ten."""
_PREFIX = "tag:yaml.org,2002:"
_KINDS = {
    "null": (re.compile(r"~|null|Null|NULL|"), "~nN\0"),
    "bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    "int": (re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), "-+0123456789"),
    "float": (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), "-+.0123456789"),
}


class CoreLoader(yaml.SafeLoader):
    """Composes nodes only; never constructs objects."""

    yaml_implicit_resolvers: dict[Any, Any] = {}

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._depth += 1
        if self._depth > DEEPEST:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, f"nested deeper than {DEEPEST} levels", mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


for _kind, (_pattern, _first) in _KINDS.items():
    CoreLoader.add_implicit_resolver(
        f"{_PREFIX}{_kind}", re.compile(f"(?:{_pattern.pattern})\\Z"), ["" if letter == "\0" else letter for letter in _first]
    )


def compose(text: str) -> yaml.Node | None:
    """The document's node tree with its marks; None when it is empty. Raises yaml.YAMLError."""
    loader = CoreLoader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


def kind_of(node: yaml.Node) -> str:
    """'str', 'int', 'map', ...; a tag that is not YAML's own as it is written."""
    tag = str(node.tag)
    return tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag


def scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    """The node's value. Raises ValueError for a tag that is not of the core schema and for a number out of range."""
    kind, text = kind_of(node), str(node.value)
    if kind in ("null", "bool") and not _KINDS[kind][0].fullmatch(text):
        raise ValueError(f"'{text}' is not a {kind}")
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return _integer(text)
    if kind == "float":
        return _real(text)
    if kind != "str":
        raise ValueError(f"the tag !{kind.lstrip('!')} is not supported")
    return text


def _integer(text: str) -> int:
    if len(text) > 18:
        raise ValueError(f"the number {text[:18]}... is too large")
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _real(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")) or value != value:
        raise ValueError(f"the number {text[:18]} is too large")
    return value
