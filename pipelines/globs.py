"""Globs as in shells: `*` and `?` stay within a folder, `**` crosses folders, [abc] and [!abc] are one character.

Matching follows all possible positions at once instead of backtracking, so its time is at most length of text times length of
pattern: a glob that a stranger wrote cannot hold up the worker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


def matches(text: str, patterns: Iterable[str]) -> bool:
    """Whether any of the globs matches the whole text, a path or a branch's name."""
    return any(_matches(text, _parts(pattern)) for pattern in patterns)


@lru_cache(maxsize=1024)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(_PARTS.findall(pattern))


def _matches(text: str, parts: tuple[str, ...]) -> bool:
    positions = {0}
    for part in parts:
        positions = _after(text, positions, part)
        if not positions:
            return False
    return len(text) in positions


def _after(text: str, positions: set[int], part: str) -> set[int]:
    """Where a match can stand once it has consumed one more part of the pattern."""
    if part == "**":
        return set(range(min(positions), len(text) + 1))
    if part == "**/":
        first = min(positions)
        return positions | {place for place in range(first + 2, len(text) + 1) if text[place - 1] == "/"}
    if part == "*":
        return _within_folders(text, positions)
    return {place + 1 for place in positions if place < len(text) and _is_one(text[place], part)}


def _within_folders(text: str, positions: set[int]) -> set[int]:
    found: set[int] = set()
    reached = -1
    for place in sorted(positions):
        if place > reached:
            end = text.find("/", place)
            reached = len(text) if end < 0 else end
            found.update(range(place, reached + 1))
    return found


def _is_one(character: str, part: str) -> bool:
    if part == "?":
        return character != "/"
    if len(part) == 1:
        return character == part
    negated = part[1] == "!"
    return character != "/" and _in_set(character, part[2:-1] if negated else part[1:-1]) != negated


def _in_set(character: str, members: str) -> bool:
    """Members are characters and ranges such as a-z."""
    index = 0
    while index < len(members):
        if members[index + 1 : index + 2] == "-" and index + 2 < len(members):
            if members[index] <= character <= members[index + 2]:
                return True
            index += 3
        else:
            if members[index] == character:
                return True
            index += 1
    return False
