"""The log of a step: masked lines with a timestamp, up to a size. Standard library only: this runs in the supervisor.

The format is described, and read, by pipelines/logfile.py.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from activities.steps.masking import Masker

_LONGEST_LINE = 64 * 1024
_TAIL = 16 * 1024
_ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def timestamp(now: float) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}Z"


class StepLog:
    """Appends to `path`. `budget`: bytes that the file may grow beyond `start`, its size when the step began."""

    def __init__(
        self, path: Path, masker: Masker, *, start: int = 0, budget: int = 16 << 20, clock: Callable[[], float] = time.time
    ) -> None:
        self._masker, self._clock = masker, clock
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._file).st_size
        self._end, self._budget = start + budget, budget
        self._partial = b""
        self._continues = False
        self._dropped: bytes | None = None
        self._last: deque[bytes] = deque(maxlen=12)
        self._longest = max(_LONGEST_LINE, 4 * masker.longest)
        if self._size and os.pread(self._file, 1, self._size - 1) != b"\n":
            self._write(b"\n")

    def feed(self, data: bytes) -> None:
        """Output as it comes, in any pieces."""
        if self._dropped is not None:
            self._dropped = (self._dropped + data)[-_TAIL:]
            return
        lines, newline, self._partial = (self._partial + data).rpartition(b"\n")
        if newline:
            self._lines(lines)
        while self._dropped is None and len(self._partial) > self._longest:
            self._release(self._masker.forced(self._partial))

    def line(self, text: str) -> None:
        """A line of the engine's own, masked too, and written even when output is dropped."""
        self.flush(final=True)
        for each in text.splitlines():
            masked = self._masker.string(each).encode("utf-8", "replace")
            self._write(f"{timestamp(self._clock())} ".encode() + masked + b"\n")

    @property
    def waiting(self) -> bool:
        """Whether there is output that has no end of line yet."""
        return bool(self._partial) and self._dropped is None

    def flush(self, *, final: bool = False) -> None:
        """Write the unfinished line, as far as no secret can be torn apart; all of it when `final`."""
        if not self.waiting:
            return
        if final:
            rest, self._partial = self._partial, b""
            self._lines(rest)
        elif cut := self._masker.safe(self._partial):
            self._release(cut)

    def close(self) -> None:
        self.flush(final=True)
        os.close(self._file)

    @property
    def size(self) -> int:
        return self._size

    def last(self, most: int = 300) -> str:
        """The last line that says something, without colours, masked."""
        if self._dropped is not None:
            self._remember(self._masker.lines(self._dropped.partition(b"\n")[2]).split(b"\n"))
            self._dropped = b""
        for line in reversed(self._last):
            text = _ANSI.sub(b"", line).decode("utf-8", "replace")
            clean = " ".join("".join(char for char in text if char.isprintable() or char == "\t").split())
            if any(char.isalnum() for char in clean):
                return clean[:most]
        return ""

    def _release(self, cut: int) -> None:
        data, self._partial = self._partial[:cut], self._partial[cut:]
        self._emit([_as_seen(self._masker.text(data))])
        self._continues = True

    def _lines(self, data: bytes) -> None:
        """`data`: whole lines, without the last end of line."""
        lines = [_as_seen(line) for line in self._masker.lines(data).split(b"\n")]
        if self._continues and lines[0] == b"":
            self._continues = False
            lines = lines[1:]
        self._emit(lines)
        self._continues = False

    def _emit(self, lines: Sequence[bytes]) -> None:
        if self._dropped is not None or not lines:
            return
        stamp = timestamp(self._clock()).encode()
        self._remember(lines)
        rows = [stamp + (b"+" if self._continues and not number else b" ") + line + b"\n" for number, line in enumerate(lines)]
        data = b"".join(rows)
        if self._size + len(data) <= self._end:
            self._write(data)
            return
        self._drop(stamp, rows)

    def _drop(self, stamp: bytes, rows: Sequence[bytes]) -> None:
        fitting = b""
        for row in rows:
            if self._size + len(fitting) + len(row) > self._end:
                break
            fitting += row
        notice = f" [switchyard] the log has reached {self._budget / (1 << 20):g} MiB: further output is dropped\n"
        self._write(fitting + stamp + notice.encode())
        self._dropped = b""

    def _remember(self, lines: Sequence[bytes]) -> None:
        self._last.extend(line[-2000:] for line in lines[-12:] if line.strip())

    def _write(self, data: bytes) -> None:
        os.write(self._file, data)
        self._size += len(data)


def _as_seen(line: bytes) -> bytes:
    """What a terminal shows of a line that a progress bar has written over and over."""
    if b"\r" not in line:
        return line
    return next((part for part in reversed(line.split(b"\r")) if part), b"")
