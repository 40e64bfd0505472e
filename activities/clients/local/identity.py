"""Which process is meant: a pid alone may be somebody else's by now. Standard library only: this runs in the supervisor."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TypedDict

_STATE, _START_TIME = 0, 19
"""Indices of fields 3 (state) and 22 (starttime) of /proc/<pid>/stat after the command's closing parenthesis; proc(5)."""


class Identity(TypedDict):
    """`started`: clock ticks since boot; `boot`: which boot that was."""

    pid: int
    started: int
    boot: str


@cache
def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int, *, zombie: bool = False) -> Identity | None:
    """None when there is no such process, or only its zombie and that is not asked for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    if len(fields) <= _START_TIME or (fields[_STATE] in (b"Z", b"X") and not zombie):
        return None
    return Identity(pid=pid, started=int(fields[_START_TIME]), boot=boot_id())


def own() -> Identity:
    found = identify(os.getpid())
    assert found is not None
    return found


def is_running(identity: Identity | None) -> bool:
    """Whether that very process, and no other with its pid, still runs."""
    return identity is not None and identify(identity["pid"]) == identity
