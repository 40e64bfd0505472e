"""How long a provider waits for the acknowledgement of a push, at a steady rate, each for a commit of its own."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence

from tests.bench.figures import Figure
from tests.bench.plan import Plan
from tests.bench.stack import Stack, running
from tests.bench.webhooks import Answer, Sender, post, push

GROUP = "webhook"
RATE = 200
SLOWER = 50
SECONDS = 10
CONNECTIONS = 50
GOAL = 50.0
MEASURED = "Open loop: a request counts from the moment at which it was due, so waiting in a queue is not left out. "
ALONE = "The answer comes after the durable start. No worker takes the runs up, as where workers have hosts of their own."
BESIDE = "As before, with a worker on the same machine, which takes the runs up at once: more than it can do, so it is busy."


def measure(plan: Plan) -> list[Figure]:
    seconds = 2 if plan.quick else SECONDS
    return [
        *_at(SLOWER, ["temporal", "web"], seconds, f"acknowledged at {SLOWER}/s", None, MEASURED + ALONE),
        *_at(RATE, ["temporal", "web"], seconds, f"acknowledged at {RATE}/s", GOAL, MEASURED + ALONE),
        *_at(RATE, ["temporal", "worker", "web"], seconds, f"acknowledged at {RATE}/s beside a busy worker", GOAL, BESIDE),
    ]


def _at(rate: int, parts: Sequence[str], seconds: int, name: str, goal: float | None, note: str) -> list[Figure]:
    with running(*parts) as stack:
        answers = asyncio.run(_measure(stack, rate, seconds))
    late, said = [answer.late for answer in answers], f"{note}{refused(answers)}"
    return [Figure(GROUP, name, "ms", late, note=said), Figure(GROUP, name, "ms", late, "p99", goal=goal, note=said)]


async def _measure(stack: Stack, rate: int, seconds: int) -> list[Answer]:
    """The answers after a second of warming up."""
    sender = Sender(stack.settings.ports.web)
    await sender.connect(CONNECTIONS)
    # Made before, so that the load's own work is as small as it can be. No such commits exist: the runs fail when they are run.
    requests = [post(push(stack.commits.url, _sha(number))) for number in range(rate * (seconds + 1))]
    try:
        await sender.at_rate(requests[:rate], rate)
        return await sender.at_rate(requests[rate:], rate)
    finally:
        sender.close()


def refused(answers: Sequence[Answer]) -> str:
    """In words, how many were; each counts with the time that its refusal took. Raises RuntimeError when all were."""
    others = Counter(answer.status for answer in answers if answer.status != 202)
    if others.total() == len(answers):
        raise RuntimeError(f"none was acknowledged with 202: {dict(others)}")
    listed = ", ".join(f"{count} with {status}" for status, count in sorted(others.items()))
    return f" Of {len(answers)}, refused were {listed}." if others else ""


def _sha(number: int) -> str:
    return hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()
