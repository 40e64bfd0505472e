"""How long a provider waits for the acknowledgement of a push: 200 of them a second, each for a commit of its own."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter

from tests.bench.figures import Figure
from tests.bench.plan import Plan
from tests.bench.stack import Stack, running
from tests.bench.webhooks import Answer, Sender, post, push

GROUP = "webhook"
RATE = 200.0
SECONDS = 10
CONNECTIONS = 50
MEASURED = "Open loop: a request counts from the moment at which it was due, so waiting in a queue is not left out. "
ALONE = (
    "The acknowledgement comes after the durable start. No worker takes the runs up, as where workers have hosts of their own."
)
BESIDE = (
    "As before, with a worker on the same machine that takes these runs up at once: more than it can do, so all cores are busy."
)


def measure(plan: Plan) -> list[Figure]:
    seconds = 2 if plan.quick else SECONDS
    with running("temporal", "web") as stack:
        alone = asyncio.run(_measure(stack, seconds))
    with running("temporal", "worker", "web") as stack:
        beside = asyncio.run(_measure(stack, seconds))
    return [
        Figure(GROUP, f"acknowledged at {RATE:g}/s", "ms", alone, note=MEASURED + ALONE),
        Figure(GROUP, f"acknowledged at {RATE:g}/s", "ms", alone, "p99", goal=50, note=MEASURED + ALONE),
        Figure(GROUP, f"acknowledged at {RATE:g}/s beside a busy worker", "ms", beside, note=BESIDE),
        Figure(GROUP, f"acknowledged at {RATE:g}/s beside a busy worker", "ms", beside, "p99", goal=50, note=BESIDE),
    ]


async def _measure(stack: Stack, seconds: int) -> list[float]:
    """Milliseconds of each request after a second of warming up. Raises RuntimeError when one was not acknowledged."""
    sender = Sender(stack.settings.ports.web)
    await sender.connect(CONNECTIONS)
    # Made before, so that the load's own work is as small as it can be. No such commits exist: the runs fail when they are run.
    requests = [post(push(stack.commits.url, _sha(number))) for number in range(int(RATE) * (seconds + 1))]
    try:
        await sender.at_rate(requests[: int(RATE)], RATE)
        answers = await sender.at_rate(requests[int(RATE) :], RATE)
    finally:
        sender.close()
    return _acknowledged(answers)


def _acknowledged(answers: list[Answer]) -> list[float]:
    others = Counter(answer.status for answer in answers if answer.status != 202)
    if others:
        raise RuntimeError(f"not all were acknowledged with 202: {dict(others)}")
    return [answer.late for answer in answers]


def _sha(number: int) -> str:
    return hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()
