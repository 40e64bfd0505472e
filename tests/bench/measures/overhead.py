"""What the engine costs: ten steps that do nothing, and ten that are the shortest of processes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time

from temporalio.client import Client

from activities.steps.environment import shell
from tests.bench.commits import STEPS
from tests.bench.figures import Figure, differences
from tests.bench.plan import Plan
from tests.bench.stack import Stack, ended, finished, running
from tests.bench.webhooks import Sender, post, push

GROUP = "overhead"
WARM_UP = 3
TO_END = (
    "From before the webhook or durable start to the answer that the run has completed, seen by a client; with fetch, checkout, "
    "records and clearing away. There is no built-in step that does nothing, so the worker gets one; the rest is the product's."
)
PAIRED = "One bare process (`bash -c true`, the same command line as a step's) is measured beside every run."


def measure(plan: Plan) -> list[Figure]:
    with running("temporal", "worker", "web") as stack:
        return asyncio.run(_measure(stack, plan.repetitions))


async def _measure(stack: Stack, repetitions: int) -> list[Figure]:
    client = await stack.client()
    times: dict[str, list[float]] = {name: [] for name in ("noop1", "noop10", "pushed10", "process1", "process10", "bare")}
    for number in range(-WARM_UP, repetitions):
        for name in list(times) if number % 2 else list(times)[::-1]:
            taken = await _one(client, stack, name)
            if number >= 0:
                times[name].append(taken)
    return _figures(times)


async def _one(client: Client, stack: Stack, name: str) -> float:
    if name == "bare":
        return bare()
    return await (pushed(client, stack) if name == "pushed10" else timed(client, stack, name))


async def pushed(client: Client, stack: Stack) -> float:
    """Milliseconds from a webhook for a new commit to the end of its run."""
    request = post(push(stack.commits.url, stack.commits.next()))
    sender = Sender(stack.settings.ports.web)
    await sender.connect(1)
    begun = time.perf_counter()
    answer = await sender.send(request, begun)
    await ended(client, json.loads(answer.body)["run_id"])
    sender.close()
    return (time.perf_counter() - begun) * 1000


async def timed(client: Client, stack: Stack, name: str) -> float:
    """Milliseconds of one run of a new commit."""
    request = stack.commits.request(name)
    begun = time.perf_counter()
    await finished(client, request)
    return (time.perf_counter() - begun) * 1000


def bare() -> float:
    """Milliseconds of one bare process, the mean of as many as a pipeline has steps."""
    begun = time.perf_counter()
    for _ in range(STEPS):
        subprocess.run(shell("bash", "true"), check=True)
    return (time.perf_counter() - begun) * 1000 / STEPS


def _figures(times: dict[str, list[float]]) -> list[Figure]:
    noop = _per_step(times, "noop")
    above = [step - bare for step, bare in zip(_per_step(times, "process"), times["bare"], strict=True)]
    return [
        Figure(GROUP, "ten no-op steps, webhook to completed", "ms", times["pushed10"], goal=150, note=TO_END),
        Figure(GROUP, "ten no-op steps, start to completed", "ms", times["noop10"], goal=150, note=TO_END),
        Figure(GROUP, "one no-op step, start to completed", "ms", times["noop1"], note=TO_END),
        Figure(GROUP, "one no-op step more", "ms", noop),
        Figure(GROUP, "ten steps as processes, start to completed", "ms", times["process10"], note=TO_END),
        Figure(GROUP, "a bare process", "ms", times["bare"], note=PAIRED),
        Figure(GROUP, "a step as a process, above the bare process", "ms", above, goal=15, note=PAIRED),
    ]


def _per_step(times: dict[str, list[float]], kind: str) -> list[float]:
    """What each step beyond the first costs, run by run."""
    pairs = list(zip(times[f"{kind}1"], times[f"{kind}10"], strict=True))
    return [difference / (STEPS - 1) for difference in differences(pairs)]
