"""Pipelines a second when fifty are always under way."""

from __future__ import annotations

import asyncio
import time

from tests.bench.commits import STEPS
from tests.bench.figures import Figure
from tests.bench.plan import Plan
from tests.bench.stack import Stack, all_of, running

GROUP = "throughput"
IN_FLIGHT = 50
NOTE = f"Each pipeline has {STEPS} no-op steps and a commit of its own; server, worker and client share the cores."


def measure(plan: Plan) -> list[Figure]:
    with running() as stack:
        rates = asyncio.run(_measure(stack, rounds=plan.few(10), each=IN_FLIGHT if plan.quick else 2 * IN_FLIGHT))
    return [Figure(GROUP, f"pipelines a second, {IN_FLIGHT} in flight", "/s", rates, at_least=True, note=NOTE)]


async def _measure(stack: Stack, rounds: int, each: int) -> list[float]:
    client = await stack.client()
    await all_of(client, [stack.commits.request("noop10") for _ in range(5)], 5)
    return [await _rate(stack, each) for _ in range(rounds)]


async def _rate(stack: Stack, count: int) -> float:
    client = await stack.client()
    requests = [stack.commits.request("noop10") for _ in range(count)]
    begun = time.perf_counter()
    await all_of(client, requests, IN_FLIGHT)
    return count / (time.perf_counter() - begun)
