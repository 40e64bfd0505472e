"""YAML text as plain data that remembers where every value stands, within bounds that no file can exceed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from pipelines.errors import Problem
from pipelines.yamlcore import compose, scalar

LONGEST = 128 * 1024
"""Characters of a file."""
MOST_VALUES = 20_000
MOST_CHARACTERS = 512 * 1024
"""Values and characters once aliases are followed: a few lines of anchors can stand for billions of them."""

Path = tuple[str | int, ...]
"""Keys and list indexes from the root to a value."""


@dataclass
class Document:
    """`data` is lists, mappings with text keys, and scalars; None when nothing could be read.

    `values` and `keys` hold line and column (from 1) of each value and of each mapping's key; `respelled` what a number was
    written as, where that is not how it is read: 3.10 is the number 3.1.
    """

    file: str
    data: Any = None
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    respelled: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: Path, message: str, remedy: str = "", *, on_key: bool = False) -> Problem:
        """Points at the value or its key; where there is neither, at the nearest thing around it."""
        for end in range(len(path), -1, -1):
            place = self._place(path[:end], on_key=on_key or end < len(path))
            if place:
                return Problem(self.file, *place, message, remedy)
        return Problem(self.file, 0, 0, message, remedy)

    def _place(self, path: Path, *, on_key: bool) -> tuple[int, int] | None:
        if on_key and path in self.keys:
            return self.keys[path]
        return self.values.get(path)


def read(text: str, file: str) -> Document:
    """Never raises for what is in the text: `problems` says what is wrong with it as YAML."""
    document = Document(file)
    if len(text) > LONGEST:
        message = f"the file has {len(text)} characters, more than {LONGEST}"
        document.problems.append(Problem(file, 0, 0, message, "Move long commands into scripts"))
        return document
    try:
        node = compose(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        document.problems.append(Problem(file, line, column, "not valid YAML: a control character", "Remove it"))
        return document
    except yaml.MarkedYAMLError as error:
        document.problems.append(_syntax(error, file))
        return document
    except (ValueError, OverflowError):
        document.problems.append(Problem(file, 0, 0, "not valid YAML: an escape stands for no character", "Look for \\U and \\x"))
        return document
    if node is not None:
        _Reader(document).read(node)
    return document


def _syntax(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    said = ", ".join(part for part in (error.context, error.problem) if part) or "cannot be read"
    remedy = "Indent with spaces" if "'\\t'" in said else "Check quotes, colons and indentation here"
    return Problem(file, line, column, f"not valid YAML: {said}", remedy)


class _TooMuch(Exception):  # noqa: N818
    """Ends the reading of a document that is larger than it looks."""


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0
        self._characters = 0
        self._around: list[int] = []

    def read(self, root: yaml.Node) -> None:
        try:
            self._document.data = self._value(root, ())
        except _TooMuch:
            remedy = "Use fewer anchors and aliases"
            self._complain(root, f"the file stands for more than {MOST_VALUES} values or {MOST_CHARACTERS} characters", remedy)
            self._document.data = None

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._document.values[path] = _place(node)
        self._count(node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._around:
            self._complain(node, "the anchor contains itself", "Remove the alias inside of it")
            return None
        self._around.append(id(node))
        value = self._mapping(node, path) if isinstance(node, yaml.MappingNode) else self._sequence(node, path)
        self._around.pop()
        return value

    def _count(self, node: yaml.Node) -> None:
        self._values += 1
        self._characters += len(node.value) if isinstance(node, yaml.ScalarNode) else 0
        if self._values > MOST_VALUES or self._characters > MOST_CHARACTERS:
            raise _TooMuch

    def _sequence(self, node: yaml.Node, path: Path) -> list[Any]:
        return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        """What a mapping says itself wins over what it merges, then the first of several merged ones."""
        found: dict[str, Any] = {}
        for key, value, merged in self._pairs(node):
            name = self._key(key)
            if name is None or (merged and name in found):
                continue
            if name in found:
                first = self._document.keys[*path, name][0]
                self._complain(key, f"'{name}' is given twice, first in line {first}", "Keep one of them")
                continue
            self._document.keys[*path, name] = _place(key)
            found[name] = self._value(value, (*path, name))
        return found

    def _pairs(self, node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node, bool]]:
        """Key, value, and whether it came by `<<`; the mapping's own first."""
        pairs = [(key, value, False) for key, value in node.value if not _is_merge(key)]
        for key, value in node.value:
            if _is_merge(key):
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    pairs += self._merged(source)
        return pairs

    def _merged(self, source: yaml.Node) -> list[tuple[yaml.Node, yaml.Node, bool]]:
        self._count(source)
        if not isinstance(source, yaml.MappingNode):
            self._complain(source, "'<<' merges mappings only", "Write <<: *name, where name anchors a mapping")
            return []
        if id(source) in self._around:
            self._complain(source, "the anchor contains itself", "Remove the alias inside of it")
            return []
        self._around.append(id(source))
        pairs = self._pairs(source)
        self._around.pop()
        return [(key, value, True) for key, value, _ in pairs]

    def _key(self, node: yaml.Node) -> str | None:
        """A key is its text, whatever it looks like: `on`, `3.11` and `true` name things."""
        if not isinstance(node, yaml.ScalarNode):
            self._complain(node, "a key must be a text", "Quote it if it begins with [ or {")
            return None
        self._count(node)
        return self._sound(node, str(node.value))

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        try:
            value = scalar(node)
        except ValueError as error:
            self._complain(node, str(error), "Quote it to make it a text")
            return None
        if isinstance(value, str):
            return self._sound(node, value)
        if isinstance(value, float) and repr(value) != node.value:
            self._document.respelled[path] = str(node.value)
        return value

    def _sound(self, node: yaml.Node, text: str) -> str | None:
        """A text that can be an argument of a program and part of JSON."""
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            self._complain(node, "the text holds NUL or half a surrogate pair, which no program takes", "Remove it")
            return None
        return text

    def _complain(self, node: yaml.Node, message: str, remedy: str) -> None:
        self._document.problems.append(Problem(self._document.file, *_place(node), message, remedy))


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.style is None and key.value == "<<"
