"""Detached processes that are known again later: by pid and start time, kept in one small file each."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

_START_TOLERANCE = 0.05
"""Seconds; what the operating system says of one process may differ by a clock tick."""
_children: dict[int, subprocess.Popen[bytes]] = {}
"""Of this very process: a dead child must be reaped before it looks dead."""


class Record(BaseModel):
    """A started process. `started` in Unix seconds, as the operating system has it: a pid alone may be somebody else's by now."""

    name: str
    pid: int
    started: float
    command: list[str]

    @property
    def alive(self) -> bool:
        if self.pid in _children:
            _children[self.pid].poll()
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _START_TOLERANCE
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def spawn(name: str, command: Sequence[str], *, env: Mapping[str, str], folder: Path) -> Record:
    """Start in a session of its own, output appended to `folder/name.log`, and remember it in `folder/name.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            command, env=dict(env), cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _children[child.pid] = child
    record = Record(name=name, pid=child.pid, started=psutil.Process(child.pid).create_time(), command=list(command))
    _remember(record, folder)
    return record


def _remember(record: Record, folder: Path) -> None:
    made = folder / f".{record.name}.json.{os.getpid()}"
    with made.open("w") as file:
        file.write(record.model_dump_json())
        file.flush()
        os.fsync(file.fileno())
    made.replace(folder / f"{record.name}.json")


def recall(name: str, folder: Path) -> Record | None:
    """The process if it was started and still is alive."""
    try:
        record = Record.model_validate_json((folder / f"{name}.json").read_text())
    except (OSError, ValidationError):
        return None
    return record if record.alive else None


def forget(name: str, folder: Path) -> None:
    (folder / f"{name}.json").unlink(missing_ok=True)


def stop(record: Record, patience: float) -> str:
    """SIGTERM, and SIGKILL for its whole group when it has not ended within `patience` seconds. Says how it ended."""
    if not record.alive:
        return "was not running"
    with contextlib.suppress(ProcessLookupError):
        os.kill(record.pid, signal.SIGTERM)
    if wait(lambda: not record.alive, patience):
        return "stopped"
    with contextlib.suppress(ProcessLookupError):
        os.killpg(record.pid, signal.SIGKILL)
    wait(lambda: not record.alive, 10)
    return f"killed, it had not ended within {patience:g} s"


def wait(condition: Callable[[], bool], patience: float, pause: float = 0.05) -> bool:
    """Poll until `condition` holds; False when `patience` seconds are over first."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def last_lines(name: str, folder: Path, count: int = 15) -> str:
    """The end of the part's log, indented; for error texts."""
    try:
        with (folder / f"{name}.log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-count:])
