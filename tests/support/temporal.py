"""A real Temporal server for the tests: one per test session (and per xdist worker), tuned as `switchyard up` tunes it.

Tests share the server, so workflow ids must be unique: take them from `unique`.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from starter.stack.tuning import server_flags
from tests.support.components import program
from tests.support.ports import free_port


class TemporalServer:
    """One `temporal server start-dev` process; `kill` and `start` again keep port and data, as after a crash."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.extra: list[str] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        flags = ["--headless", "--ip", "127.0.0.1", "--port", str(self.port), "--log-level", "error"]
        command = [program("temporal"), "server", "start-dev", *flags, "--db-filename", str(self.folder / "temporal.db")]
        with (self.folder / "temporal.log").open("ab") as log:
            command += [*server_flags(), *self.extra]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.wait()

    def wait(self, seconds: float = 30.0) -> None:
        """Until the server answers. Raises RuntimeError with its log when it ended or stays silent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process
            if self.process.poll() is not None:
                break
            if _in_thread(self._answers):
                return
            time.sleep(0.05)
        raise RuntimeError(f"the Temporal server did not start:\n{(self.folder / 'temporal.log').read_text()[-3000:]}")

    async def _answers(self) -> bool:
        try:
            client = await Client.connect(self.address)
            return await client.service_client.check_health()
        except RuntimeError:
            return False

    def kill(self) -> None:
        """SIGKILL, as in a crash; also how tests end it, because a graceful end takes seconds and nobody needs the data."""
        if self.process:
            self.process.kill()
            self.process.wait()

    stop = kill


def _in_thread(answers: Callable[[], Coroutine[None, None, bool]]) -> bool:
    """Async tests start servers too, and a thread has no running loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(answers())).result()


@contextmanager
def running_server(folder: Path, *flags: str) -> Iterator[TemporalServer]:
    """A server of its own while the block runs; `flags`: more of `temporal server start-dev`."""
    server = TemporalServer(folder)
    server.extra = list(flags)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address (host:port) of a real Temporal server that lives as long as the session."""
    with running_server(tmp_path_factory.mktemp("temporal")) as server:
        yield server.address


@pytest.fixture
async def client(temporal_server: str) -> AsyncIterator[Client]:
    """A client of `temporal_server` that speaks pydantic; the search attributes are registered."""
    yield await Client.connect(temporal_server, data_converter=pydantic_data_converter)


@pytest.fixture
def unique() -> str:
    """A text that no other test has, for workflow ids and task queues."""
    return uuid.uuid4().hex[:12]
