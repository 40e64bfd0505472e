"""Processes of Linux: keeping hold of descendants and ending all of them. Standard library only: this runs in the supervisor."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_START_TIME = 19
"""Index of field 22 (starttime) of /proc/<pid>/stat after the command's closing parenthesis; proc(5)."""

_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Descendants whose parents have ended become this process's children, also when they have changed their session."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def start_time(pid: int) -> int | None:
    """When it started, in clock ticks since boot: with the pid it names a process for ever. None when there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[_START_TIME])
    except (OSError, ValueError, IndexError):
        return None


def descendants(pid: int) -> list[int]:
    found, todo = [], [pid]
    while todo:
        below = _children(todo.pop())
        found += below
        todo += below
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_bytes().split())
    except OSError:
        return found
    return found


def marked(mark: str) -> list[int]:
    """Processes that were started with `mark` ('NAME=value') in their environment, as far as we may look at them, and their
    descendants."""
    wanted = mark.encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found += [int(folder.name), *descendants(int(folder.name))]
        except OSError:
            continue
    return found


def send(pids: Iterable[int], number: int) -> None:
    """The signal to each that is still there and ours to signal."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            continue
