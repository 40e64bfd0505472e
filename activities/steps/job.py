"""What a supervisor is told, and what it leaves behind. Standard library only: this runs in the supervisor.

Files in a command's folder: `lock` is held by the supervisor as long as it lives (its text: 'pid starttime'), `request.json` says
what was started, `result.json` how it ended.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

MARK = "SWITCHYARD_STEP_MARK"
"""Environment variable by which leftovers of a step are found when its supervisor was killed."""

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """One process to run. Goes through a socket only: `env` and `secrets` hold secret values.

    Times in seconds; `log_start` and `log_budget` in bytes; `limits` by name of the rlimit (RLIMIT_AS...), None for no limit.
    """

    folder: str
    mark: str
    argv: list[str]
    env: dict[str, str]
    cwd: str
    log: str
    secrets: list[str]
    timeout: float
    timeout_text: str
    stdout: str | None = None
    log_start: int = 0
    log_budget: int = 16 << 20
    grace: float = 2.0
    nice: int = 5
    limits: dict[str, int] = field(default_factory=dict)


Outcome = Literal["exited", "timed-out", "cancelled"]


@dataclass(frozen=True)
class Ending:
    """How a command ended. `exit_code`: negative is minus the signal's number, None when it could not be started.

    Times in Unix seconds, `max_rss` in bytes; `message` is masked.
    """

    outcome: Outcome
    exit_code: int | None
    started_at: float
    finished_at: float
    cpu_seconds: float = 0.0
    max_rss: int = 0
    message: str = ""

    @property
    def passed(self) -> bool:
        return self.outcome == "exited" and self.exit_code == 0


@dataclass(frozen=True)
class Request:
    """What was started, never with its environment; `log_at` is the log's size at that moment."""

    mark: str
    started_at: float
    log_at: int = 0


def write_json(path: Path, content: Any, *, lasting: bool = True) -> None:
    """Whole or not at all; when `lasting`, still there after a power cut."""
    partial = path.with_suffix(f".{os.getpid()}.part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, json.dumps(asdict(content)).encode())
        if lasting:
            os.fsync(handle)
    finally:
        os.close(handle)
    partial.replace(path)
    if not lasting:
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_json(path: Path, kind: Callable[..., T]) -> T | None:
    """None when the file is not there."""
    try:
        return kind(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None


def try_lock(path: Path) -> int | None:
    """A handle that holds the lock as long as it is open (or its process lives); None when somebody else holds it, or has removed
    the file meanwhile: a lock on what nobody else can open would be worth nothing."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None
