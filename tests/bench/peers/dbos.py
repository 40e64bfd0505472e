"""DBOS: a library in a process of its own, asked over HTTP, which answers when the workflow has ended."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.commits import STEPS
from tests.bench.peers.environment import RECIPES, interpreter
from tests.bench.peers.process import answers, started
from tests.support.ports import free_port

Run = Callable[[str], float]
"""From 'noop' or 'process' to milliseconds from the trigger to the end of ten steps."""


@contextmanager
def running(folder: Path) -> Iterator[Run]:
    port = free_port()
    command = [str(interpreter("dbos")), str(RECIPES / "dbos" / "ten_steps.py"), str(port), str(STEPS)]
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    with started(command, folder, env) as process:
        answers(f"http://127.0.0.1:{port}/", process, folder / "output")
        yield lambda kind: _run(port, kind)


def _run(port: int, kind: str) -> float:
    """Raises RuntimeError when the workflow failed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun = time.perf_counter()
    connection.request("POST", f"/{kind}")
    status = connection.getresponse().status
    taken = (time.perf_counter() - begun) * 1000
    connection.close()
    if status != http.client.OK:
        raise RuntimeError(f"DBOS answered {status}")
    return taken
