"""A host on which steps are run: state, workspace, log, and a worker that can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from activities.build import Steps
from activities.clients.secrets import SecretResolver
from activities.steps.evidence import Evidence
from pipelines.layout import Layout
from pipelines.logfile import LogLine, read_new
from pipelines.messages.build import StepInput, StepResult, Workspace
from pipelines.messages.quality import Finding, TestCase
from pipelines.spec import SecretRef, Step

ROOT = Path(__file__).resolve().parents[2]


class Told:
    """Stands in for the records: remembers what was last stored by each source, and how often."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}
        self.unavailable: dict[str, str] = {}
        self.calls = 0

    def store(self, run_id: str, stage: str, what: Any, tools: Iterable[str] = (), source: str = "") -> None:
        self.calls += 1
        self.stored[source] = what

    def store_unavailable(self, run_id: str, stage: str, tool: str, why: str, source: str = "") -> None:
        self.unavailable[tool] = why

    def of(self, source: str) -> Sequence[Finding | TestCase]:
        return list(self.stored[source])


class Host:
    """`steps` are the activities as a worker on this host has them."""

    def __init__(self, root: Path, environ: dict[str, str] | None = None, **options: Any) -> None:
        self.root = root
        self.layout = Layout(root / "state")
        self.workspace = root / "workspace"
        self.workspace.mkdir(parents=True, exist_ok=True)
        self.findings, self.cases, self.coverage = Told(), Told(), Told()
        evidence = Evidence(self.findings, self.cases, self.coverage)
        self.steps = Steps(self.layout, SecretResolver(environ or {}), evidence, **{"grace": 0.3} | options)

    def input(
        self, run: str | Step = "true", *, key: str = "run/build/0", secrets: dict[str, SecretRef] | None = None, **more: Any
    ) -> StepInput:
        given = {name: more.pop(name) for name in ("attempt", "execution", "env", "index", "stage") if name in more}
        step = run if isinstance(run, Step) else Step.model_validate({"run": run, **more})
        place = Workspace(name="shared", queue="q", host="h", path=str(self.workspace))
        known = {"run_id": "run", "repo": "o/r", "stage": "build", "index": 0, "execution": "e1"} | given
        return StepInput(key=key, step=step, workspace=place, secrets=secrets or {}, **known)

    async def run(self, run: str | Step = "true", **more: Any) -> StepResult:
        return await self.steps.run_step(self.input(run, **more))

    def lines(self, result: StepResult) -> list[LogLine]:
        return read_new(self.layout.logs / result.log)[0]

    def log(self, result: StepResult) -> str:
        return "\n".join(line.text for line in self.lines(result))

    def file(self, name: str) -> str:
        path = self.workspace / name
        return path.read_text() if path.exists() else ""

    async def until(self, name: str, text: str = "") -> str:
        """The file's content, as soon as the file is there (and holds the text)."""
        await eventually(lambda: (self.workspace / name).exists() and text in self.file(name), f"{name} with '{text}'")
        return self.file(name)


async def eventually(true: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"never came true: {what}"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


class Victim:
    """A worker process that runs one step, and can be killed; `pause` names a place in the code where it stops and says so.

    Places: `launch` (before the supervisor is asked for), `report` (all is done but the result not kept).
    """

    def __init__(self, host: Host, step: StepInput, pause: str = "") -> None:
        self._place = host.root / f"paused-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "tests.support.victim", str(host.root), step.model_dump_json(), pause, str(self._place)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    async def paused(self) -> None:
        await eventually(lambda: self._place.exists() or self.process.poll() is not None, "the worker stops at its place", 30)
        assert self._place.exists(), "the worker ended instead of stopping at its place"

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
