"""How long a step's process lives on after somebody has aborted its run."""

from __future__ import annotations

import asyncio
import os
import select
import time
from pathlib import Path

from temporalio.client import Client

from pipelines.messages.runs import Abort
from starter import runs
from tests.bench.figures import Figure
from tests.bench.plan import Plan
from tests.bench.stack import Stack, running, until

GROUP = "abort"
MOST_SECONDS = 30.0
NOTE = "The process is one that ends on SIGTERM; one that ignores it gets 2 s before SIGKILL."


def measure(plan: Plan) -> list[Figure]:
    with running(noop=False, env={"BENCH_PID": "{folder}/pid"}) as stack:
        times = asyncio.run(_measure(stack, plan.few(3)))
    return [
        Figure(GROUP, "abort to dead process", "ms", times, goal=1500, note=NOTE),
        Figure(GROUP, "abort to dead process", "ms", times, "p95", note=NOTE),
    ]


async def _measure(stack: Stack, count: int) -> list[float]:
    client = await stack.client()
    return [await _once(stack, client) for _ in range(count)]


async def _once(stack: Stack, client: Client) -> float:
    file = stack.folder / "pid"
    file.unlink(missing_ok=True)
    started = await runs.start(client, stack.commits.request("sleeper"))
    process = os.pidfd_open(await _pid(file))
    try:
        begun = time.perf_counter()
        await runs.abort(client, started.run_id, Abort(actor="bench"))
        await asyncio.to_thread(_gone, process)
        return (time.perf_counter() - begun) * 1000
    finally:
        os.close(process)


def _gone(process: int) -> None:
    """Raises TimeoutError when the process does not end."""
    if not select.select([process], [], [], MOST_SECONDS)[0]:
        raise TimeoutError("the aborted process lives on")


async def _pid(file: Path) -> int:
    await asyncio.to_thread(until, lambda: file.exists() and file.read_text().endswith("\n"), MOST_SECONDS)
    return int(file.read_text())
