"""Processes of another engine: started in a folder of their own, ended with all their children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0


@contextmanager
def started(command: Sequence[str], folder: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Its output goes to `folder/output`; it is ended when the block is left."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "output").open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the URL answers, whatever it says. Raises RuntimeError with the log's end when it never does."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer: {log.read_text(errors='replace')[-2000:]}")
