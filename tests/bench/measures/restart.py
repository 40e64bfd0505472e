"""How long a run stands still when its worker is killed and started again at once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from pipelines.messages.runs import Abort, RunView
from starter import runs
from tests.bench.figures import Figure
from tests.bench.plan import Plan
from tests.bench.stack import Stack, running, until

GROUP = "restart"
MOST_SECONDS = 120.0
NOTE = (
    "SIGKILL in the middle of a run of short steps, `switchyard up` at once. Progress is the first step that had not begun at "
    "the kill. The step in flight goes on without the worker; that nobody follows it is noticed by its heartbeat timeout."
)


def measure(plan: Plan) -> list[Figure]:
    with running(noop=False, env={"BENCH_TICKS": "{folder}/ticks"}) as stack:
        times = [_once(stack) for _ in range(plan.few(6))]
    return [
        Figure(GROUP, "kill of the worker to the run's next progress", "ms", [kill for kill, _ in times], note=NOTE),
        Figure(GROUP, "start of the next worker to the run's next progress", "ms", [start for _, start in times], note=NOTE),
    ]


def _once(stack: Stack) -> tuple[float, float]:
    """Milliseconds from the kill, and from the start of the new worker."""
    ticks = stack.folder / "ticks"
    ticks.unlink(missing_ok=True)
    run_id = asyncio.run(_begin(stack))
    until(lambda: _count(ticks) >= 5, MOST_SECONDS)
    os.kill(stack.process("worker").pid, signal.SIGKILL)
    killed = time.perf_counter()
    # The step in flight may still write its tick; the one behind it can only come from the next worker.
    known = _count(ticks) + 1
    started = time.perf_counter()
    stack.up()
    try:
        until(lambda: _count(ticks) > known, MOST_SECONDS)
    except TimeoutError:
        view = asyncio.run(_view(stack, run_id))
        raise TimeoutError(f"no progress after {known} ticks; the run is {view.status} {view.reason}") from None
    now = time.perf_counter()
    asyncio.run(_end(stack, run_id))
    return (now - killed) * 1000, (now - started) * 1000


async def _begin(stack: Stack) -> str:
    started = await runs.start(await stack.client(), stack.commits.request("ticker"))
    return started.run_id


async def _view(stack: Stack, run_id: str) -> RunView:
    return await runs.describe(await stack.client(), run_id)


async def _end(stack: Stack, run_id: str) -> None:
    client = await stack.client()
    await runs.abort(client, run_id, Abort(actor="bench"))
    await client.get_workflow_handle(run_id).result()


def _count(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.exists() else 0
