"""The real stack of a test's own: `switchyard up` in processes, a private state directory, free ports; parts can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import psutil
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter

from pipelines.errors import Unavailable
from pipelines.messages.runs import RolloutView, RunView
from pipelines.settings import Ports, Settings
from starter.runs.view import query
from starter.stack.processes import Record, recall
from tests.support.components import program
from tests.support.ports import free_ports

T = TypeVar("T")
PARTS = ("temporal", "proxy", "worker")


class LiveStack:
    """`outside`: a folder that steps write into, to count from outside what was done."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        for needed in ("temporal", "traefik"):
            program(needed)
        self.root = root
        self.state = root / "state"
        self.outside = root / "outside"
        self.outside.mkdir(parents=True)
        self.ports = Ports(**dict(zip(Ports.model_fields, free_ports(len(Ports.model_fields)), strict=True)))
        self.settings = Settings(state_dir=self.state, ports=self.ports)
        self.env = {**_environment(self), **env}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client: Client | None = None

    def cli(self, *arguments: str, check: bool = True, seconds: float = 90.0) -> subprocess.CompletedProcess[str]:
        """`switchyard ARGUMENTS`, as somebody would type it."""
        done = subprocess.run(
            [sys.executable, "-m", "starter.cli", *arguments],
            env=self.env, cwd=self.root, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"switchyard {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def ask(self, *arguments: str) -> Any:
        return json.loads(self.cli(*arguments, "--json").stdout)

    def up(self, *parts: str) -> None:
        self.cli("up", *(f"--only={part}" for part in parts or PARTS))

    def begin_up(self, *parts: str) -> subprocess.Popen[str]:
        """`up` in the background, for those who look on while the part starts."""
        command = [sys.executable, "-m", "starter.cli", "up", *(f"--only={part}" for part in parts or PARTS)]
        quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        return subprocess.Popen(command, env=self.env, cwd=self.root, text=True, **quiet)  # type: ignore[call-overload,no-any-return]

    def down(self) -> None:
        """Everything that this stack started is gone, released services too."""
        self.cli("down", "--releases", check=False)
        for part in PARTS:
            if record := self.record(part):
                os.killpg(record.pid, signal.SIGKILL)
        for process in self.leftovers():
            process.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def leftovers(self) -> list[psutil.Process]:
        """Processes that carry this stack's state directory in their command line, such as supervisors of steps."""
        found = []
        for process in psutil.process_iter(["cmdline", "pid"]):
            words = process.info["cmdline"] or []
            if process.info["pid"] != os.getpid() and any(word.startswith(str(self.state)) for word in words):
                found.append(process)
        return found

    def record(self, part: str) -> Record | None:
        return recall(part, self.settings.layout.stack)

    def pid(self, part: str) -> int:
        record = self.record(part)
        assert record, f"the {part} does not run: {self.log(part)[-2000:]}"
        return record.pid

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send the signal and wait until the process is gone."""
        record = self.record(part)
        assert record, f"the {part} does not run"
        os.kill(record.pid, number)
        until(lambda: not record.alive, f"the {part} has ended", 40)

    def log(self, part: str) -> str:
        file = self.settings.layout.stack / f"{part}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def on(self, work: Callable[[Client], Coroutine[Any, Any, T]], seconds: float = 60.0) -> T:
        """The answer of asynchronous work with a client of this stack's Temporal."""
        return self.begin(work).result(seconds)

    def begin(self, work: Callable[[Client], Coroutine[Any, Any, T]]) -> Future[T]:
        async def connected() -> T:
            return await work(await self._connected())

        return asyncio.run_coroutine_threadsafe(connected(), self._loop)

    async def _connected(self) -> Client:
        if self._client is None:
            self._client = await Client.connect(f"127.0.0.1:{self.ports.temporal}", data_converter=pydantic_data_converter)
        return self._client

    def run_view(self, run_id: str) -> RunView:
        return self._patiently(lambda client: query(client, run_id, RunView))

    def rollout_view(self, rollout_id: str) -> RolloutView:
        return self._patiently(lambda client: query(client, rollout_id, RolloutView))

    def _patiently(self, work: Callable[[Client], Coroutine[Any, Any, T]], seconds: float = 30.0) -> T:
        """Again while a worker or the server is still coming back."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.on(work)
            except Unavailable:
                assert time.monotonic() < deadline, f"no answer within {seconds:g} s"

    def result(self, run_id: str, seconds: float = 90.0) -> RunView:
        """The run when it has ended and all its records are written."""
        until(lambda: self.on(lambda client: _closed(client, run_id)), f"{run_id} has ended", seconds)
        return self.run_view(run_id)

    def lines(self, name: str) -> list[str]:
        """What steps wrote into that file outside."""
        file = self.outside / name
        return file.read_text().splitlines() if file.exists() else []

    def address(self, service: str, environment: str = "production", path: str = "/") -> str:
        return f"http://127.0.0.1:{self.ports.proxy}/.switchyard/{environment}/{service}{path}"


def _environment(stack: LiveStack) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "SWITCHYARD_"))}
    ports = {f"SWITCHYARD_PORTS__{name.upper()}": str(port) for name, port in stack.ports.model_dump().items()}
    own = {
        "SWITCHYARD_STATE_DIR": str(stack.state),
        "SWITCHYARD_CONFIG": str(stack.root / "switchyard.toml"),
        "SWITCHYARD_ACTOR": "ann",
        "SWITCHYARD_OFFLINE": "1",
        "TEMPORAL_CONFIG_FILE": str(stack.root / "temporal.toml"),
    }
    return {**kept, **ports, **own}


async def _closed(client: Client, workflow_id: str) -> bool:
    return (await client.get_workflow_handle(workflow_id).describe()).status != WorkflowExecutionStatus.RUNNING


def until(condition: Callable[[], T | None], what: str, seconds: float = 20.0) -> T:
    """Poll with a bound; the first true answer."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.03)
