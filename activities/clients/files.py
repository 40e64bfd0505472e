"""Small files that are whole at every instant, and locks that end with their holder."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from activities.base import heartbeat
from pipelines.errors import Busy


def write_whole(path: Path, text: str, *, partial: Path | None = None, mode: int = 0o644) -> None:
    """Readers see the old text or the new one. `partial`: folder on the same file system for the unfinished file."""
    folder = partial or path.parent
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f".{path.name}.{os.getpid()}.{threading.get_ident()}.part"
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


@contextmanager
def locked(path: Path, what: str, patience: float = 5.0) -> Iterator[int]:
    """Excludes other threads and processes; the lock ends with its holder, and with every process that inherits the descriptor
    that it gives. Raises Busy after `patience` seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(handle, what, time.monotonic() + patience)
        yield handle
    finally:
        os.close(handle)


def _take(handle: int, what: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Busy(f"somebody else is changing {what}") from None
            heartbeat()
            time.sleep(0.02)
