"""A local stack of the benchmark's own: a state directory and free ports, ended when the block is left, however it is left."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

from temporalio.client import Client

from pipelines.messages.common import RunRequest
from pipelines.messages.runs import RunResult
from pipelines.settings import Ports, Settings
from starter import runs
from starter.client import connect
from starter.stack import stack
from starter.stack.part import Part
from starter.stack.processes import Record, recall
from starter.stack.worker import WORKER
from tests.bench.commits import Commits
from tests.bench.webhooks import SECRET
from tests.support.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
NOOP_WORKER = replace(WORKER, command=lambda settings: [sys.executable, str(ROOT / "tests/bench/noop_worker.py")])
CORE = ("temporal", "worker")


@dataclass(frozen=True)
class Stack:
    """Started through `switchyard up`'s own code; `noop`: with the worker that knows the check `noop`."""

    folder: Path
    settings: Settings
    commits: Commits
    noop: bool = True

    def up(self, *parts: str) -> None:
        waves = tuple(tuple(self._part(part) for part in wave) for wave in stack.WAVES)
        with mock.patch.object(stack, "WAVES", waves), mock.patch.dict(os.environ, {"PYTHONPATH": str(ROOT)}):
            stack.up(self.settings, parts or CORE)

    def _part(self, part: Part) -> Part:
        return NOOP_WORKER if part is WORKER and self.noop else part

    def down(self, *parts: str) -> None:
        stack.down(self.settings, parts)

    def process(self, part: str) -> Record:
        """Of a part that runs. Raises LookupError when it does not."""
        found = recall(part, self.settings.layout.stack)
        if found is None:
            raise LookupError(f"{part} does not run")
        return found

    async def client(self) -> Client:
        return await connect(self.settings)


@contextmanager
def running(*parts: str, noop: bool = True, env: dict[str, str] | None = None) -> Iterator[Stack]:
    """`env`: variables of every step, in which {folder} is the stack's own folder."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    filled = {name: value.format(folder=folder) for name, value in (env or {}).items()}
    made = Stack(folder, _settings(folder), Commits(folder / "service", filled), noop)
    with mock.patch.dict(os.environ, _clean_environment(folder), clear=True):
        try:
            made.up(*parts)
            yield made
        finally:
            _end(made)


def _settings(folder: Path) -> Settings:
    ports = Ports(**dict(zip(Ports.model_fields, free_ports(len(Ports.model_fields)), strict=True)))
    return Settings(state_dir=folder / "state", ports=ports)


def _clean_environment(folder: Path) -> dict[str, str]:
    """Without a Temporal or a Switchyard that the user has configured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "SWITCHYARD_"))}
    files = {"TEMPORAL_CONFIG_FILE": str(folder / "temporal.toml"), "SWITCHYARD_CONFIG": str(folder / "switchyard.toml")}
    return {**kept, **files, "SWITCHYARD_WEB__GITHUB_SECRET": SECRET}


def _end(made: Stack) -> None:
    """The server's data is thrown away, so it need not end gracefully: only that takes it seconds."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for part in ("web", "worker", "proxy", "temporal"):
            found = recall(part, made.settings.layout.stack)
            if found is not None:
                os.killpg(found.pid, signal.SIGKILL)
        shutil.rmtree(made.folder, ignore_errors=True)
    finally:
        signal.signal(signal.SIGINT, before)


def until(true: Callable[[], bool], seconds: float) -> None:
    """Look every 5 ms. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing came of it within {seconds:g} s")
        time.sleep(0.005)


async def finished(client: Client, request: RunRequest) -> None:
    """Start the run and wait for its end. Raises RuntimeError when it did not pass."""
    await ended(client, (await runs.start(client, request)).run_id)


async def ended(client: Client, run_id: str) -> None:
    """Wait for the end of a run. Raises RuntimeError when it did not pass."""
    result = await client.get_workflow_handle(run_id, result_type=RunResult).result()
    if not result.status.ok:
        raise RuntimeError(f"{run_id} {result.status}: {result.reason}")


async def all_of(client: Client, requests: Sequence[RunRequest], at_once: int) -> None:
    """Run all, never more than `at_once` at the same time."""
    gate = asyncio.Semaphore(at_once)

    async def one(request: RunRequest) -> None:
        async with gate:
            await finished(client, request)

    await asyncio.gather(*(one(request) for request in requests))
