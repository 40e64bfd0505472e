"""A step's log as a file: how a line is written, parsed and followed.

Each line is `TIMESTAMP` + mark + text, where TIMESTAMP is RFC 3339 in UTC ('2026-11-23T17:56:01.123Z', three to nine
digits of a second) and mark is a space, or '+' when the text goes on where the line before ended (output that had no
end of line yet when it was written). Text keeps its ANSI colours; secrets were masked before it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z)([ +])(.*)", re.S)
_MOST = 1 << 20


@dataclass(frozen=True)
class LogLine:
    """`time` is '' for a line of another origin. `offset`: bytes up to this line's end, from where following can go on."""

    time: str
    text: str
    continues: bool = False
    offset: int = 0


def parse(line: str, offset: int = 0) -> LogLine:
    """One line of a log, with or without its end of line."""
    line = line.removesuffix("\n")
    match = _LINE.fullmatch(line)
    return LogLine(match[1], match[3], match[2] == "+", offset) if match else LogLine("", line, offset=offset)


def read_new(path: Path, offset: int = 0, most: int = _MOST) -> tuple[list[LogLine], int]:
    """Complete lines from `offset` (bytes) on, about `most` bytes of them, and the offset of what comes next.

    A file that does not exist yet is empty; one that is shorter than `offset` was started anew, and is read from its start.
    """
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) < offset:
                offset = 0
            file.seek(offset)
            data = file.read(most)
            if len(data) == most:
                data += file.readline()
    except FileNotFoundError:
        return [], offset
    lines = []
    for raw in data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]:
        offset += len(raw) + 1
        lines.append(parse(raw.decode("utf-8", "replace"), offset))
    return lines, offset


def follow(path: Path, offset: int = 0, *, more: Callable[[], bool]) -> Iterator[LogLine]:
    """New complete lines as they come. `more` is called when there is none: it waits a little and says whether to go on.

    When it says no, what was written meanwhile is still given.
    """
    going = True
    while True:
        lines, offset = read_new(path, offset)
        yield from lines
        if lines:
            continue
        if not going:
            return
        going = more()
