"""Switchyard, Buildbot and DBOS doing the same ten steps on the same machine, one after the other, in changing order."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.commits import STEPS
from tests.bench.figures import Figure
from tests.bench.measures.overhead import timed
from tests.bench.peers import buildbot, dbos
from tests.bench.peers.environment import pinned
from tests.bench.plan import Plan
from tests.bench.stack import Stack, running

GROUP = "side by side"
KINDS = {"noop": f"{STEPS} no-op steps", "process": f"{STEPS} steps as processes"}
WARM_UP = 3
NOTES = {
    "Switchyard": "Durable start to the answer that the run has completed. It also fetches and checks out a new commit, writes "
    "logs of steps, keeps what the stage left and writes audit and run records; the others do none of it.",
    "Buildbot": "Webhook of a change to push of the finished build; master and worker, SQLite. The master does no-op steps.",
    "DBOS": "HTTP request to the answer when the workflow has ended; a library in one process, SQLite. Steps are function calls: "
    "no log, no limits, no abort of the process, no other host.",
}

Run = Callable[[str], float]


def measure(plan: Plan) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-peers-", ignore_cleanup_errors=True) as folder,
        running() as stack,
        buildbot.running(Path(folder) / "buildbot") as of_buildbot,
        dbos.running(Path(folder) / "dbos") as of_dbos,
    ):
        times = _measure({"Switchyard": _of(stack), "Buildbot": of_buildbot, "DBOS": of_dbos}, plan.repetitions)
    return [_figure(kind, engine, taken) for (kind, engine), taken in times.items()]


def _figure(kind: str, engine: str, times: list[float]) -> Figure:
    named = engine if engine == "Switchyard" else f"{engine} {pinned(engine.lower())}"
    return Figure(GROUP, f"{named}, {KINDS[kind]}", "ms", times, note=NOTES[engine])


def _of(stack: Stack) -> Run:
    """One event loop and one connection for all runs, as the peers' drivers have."""
    runner = asyncio.Runner()
    client = runner.run(stack.client())
    return lambda kind: runner.run(timed(client, stack, f"{kind}{STEPS}"))


def _measure(engines: dict[str, Run], repetitions: int) -> dict[tuple[str, str], list[float]]:
    """By kind and engine. The order changes from round to round, so that whatever comes and goes hits all alike."""
    times: dict[tuple[str, str], list[float]] = {(kind, engine): [] for kind in KINDS for engine in engines}
    for number in range(-WARM_UP, repetitions):
        for kind, engine in rotated(list(times), number):
            taken = engines[engine](kind)
            if number >= 0:
                times[kind, engine].append(taken)
    return times


def rotated(items: list[tuple[str, str]], number: int) -> list[tuple[str, str]]:
    """The list begun elsewhere, and every other time backwards."""
    at = number % len(items)
    turned = items[at:] + items[:at]
    return turned if number % 2 else turned[::-1]
