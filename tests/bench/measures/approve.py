"""How long a person's approval takes, from the click to the answer that the workflow has it."""

from __future__ import annotations

import asyncio
import time

from temporalio.client import Client

from pipelines.messages.common import Status
from pipelines.messages.runs import Approve
from starter import runs
from tests.bench.figures import Figure
from tests.bench.plan import Plan
from tests.bench.stack import Stack, running

GROUP = "approve"
MOST_SECONDS = 30.0
NOTE = "What CLI, API and dashboard do: find what waits (a query), then the update, answered when the approval is durable."


def measure(plan: Plan) -> list[Figure]:
    with running() as stack:
        times = asyncio.run(_measure(stack, plan.repetitions * 4))
    return [
        Figure(GROUP, "round trip", "ms", times, note=NOTE),
        Figure(GROUP, "round trip", "ms", times, "p95", goal=30, note=NOTE),
    ]


async def _measure(stack: Stack, count: int) -> list[float]:
    """One stage wants more approvals than are given, so that each is alike."""
    client = await stack.client()
    request = stack.commits.request("approval")
    started = await runs.start(client, request)
    await waiting(client, started.run_id)
    for number in range(10):
        await _timed(client, started.run_id, f"early-{number}")
    return [await _timed(client, started.run_id, f"person-{number}") for number in range(count)]


async def waiting(client: Client, run_id: str) -> None:
    """Until a stage waits for approval. Raises TimeoutError."""
    async with asyncio.timeout(MOST_SECONDS):
        while True:
            view = await runs.describe(client, run_id)
            if any(stage.status == Status.waiting for stage in view.stages):
                return
            await asyncio.sleep(0.05)


async def _timed(client: Client, run_id: str, actor: str) -> float:
    begun = time.perf_counter()
    await runs.approve(client, run_id, Approve(actor=actor))
    return (time.perf_counter() - begun) * 1000
