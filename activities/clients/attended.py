"""Waiting for a process with a heartbeat every second, so that a slow one is not taken for a dead worker."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait

from activities.base import heartbeat
from activities.clients.archive import Beat

_BEAT_EVERY = 1.0


def attended(process: subprocess.Popen[bytes], stdin: bytes, seconds: float, beat: Beat = heartbeat) -> tuple[bytes, bytes]:
    """Standard output and error of a process that leads a group of its own; `stdin` is given to it.

    Raises TimeoutError after `seconds`, and whatever `beat` raises; the group is killed then.
    """
    deadline = time.monotonic() + seconds
    # In a thread, because `communicate` with a timeout cannot go on with input that was not read yet.
    with ThreadPoolExecutor(1, "attended") as pool:
        talking: Future[tuple[bytes, bytes]] = pool.submit(process.communicate, stdin)
        try:
            while not wait([talking], _BEAT_EVERY).done:
                beat()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"took longer than {seconds:g} s")
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        return talking.result()
