"""The command of a step that names an image, in a container.

The daemon outlives the worker, so it is what a supervisor is to a process: the container is found again by its name, which comes
from the step's folder.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from activities.checks.base import Command
from activities.clients.containers import Containers, ContainerSpec, ContainerState
from activities.steps.commands import Surroundings, log_budget, timed_out
from activities.steps.folder import StepRecord
from activities.steps.job import Ending, Outcome, Request, read_json, write_json
from activities.steps.masking import Masker
from activities.steps.seen import Seen
from activities.steps.steplog import StepLog
from pipelines.errors import StepFailed

T = TypeVar("T")
_BEAT = 0.5
_MIB = 1 << 20


@dataclass(frozen=True)
class Contained:
    """Only number 0 exists: built-in checks do not run in images."""

    around: Surroundings
    containers: Containers
    beat: Callable[[], None]
    grace: float = 2.0

    @property
    def _folder(self) -> Path:
        return self.around.folder.command(0)

    @property
    def _name(self) -> str:
        return f"switchyard-{hashlib.sha256(str(self.around.folder.path).encode()).hexdigest()[:24]}"

    async def look(self) -> list[Seen]:
        ending = read_json(self._folder / "result.json", Ending)
        if ending is not None:
            return [Seen("finished", ending.passed)]
        found = await self._in_thread(lambda: self.containers.find(self._name))
        if found is not None:
            return [Seen("lost" if found.status in ("created", "dead", "removing") else "running")]
        return [Seen("lost")] if self._folder.exists() else []

    async def start(self, number: int, command: Command, record: StepRecord, seconds: float) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self.around.folder.log
        request = Request(self._name, time.time(), log.stat().st_size if log.exists() else 0)
        write_json(self._folder / "request.json", request, lasting=False)
        try:
            await self._in_thread(lambda: self.containers.start(self._spec(command)))
        except StepFailed as error:
            now = time.time()
            write_json(self._folder / "result.json", Ending("exited", None, now, now, message=error.message))

    async def wait(self, number: int, record: StepRecord) -> Ending:
        ending = read_json(self._folder / "result.json", Ending)
        if ending is not None:
            return ending
        masker = Masker(self.around.secrets)
        limits = self.around.step.step.limits
        request = read_json(self._folder / "request.json", Request) or Request(self._name, record.started_at, record.log_start)
        written = _lines(self.around.folder.log, request.log_at)
        log = StepLog(self.around.folder.log, masker, start=record.log_start, budget=log_budget(limits.log_mb))
        try:
            return await self._followed(log, written, request)
        finally:
            log.close()

    async def abort(self, number: int) -> None:
        await self._in_thread(lambda: self.containers.stop(self._name, self.grace))
        await self.clear(number)

    async def clear(self, number: int) -> None:
        await self._in_thread(lambda: self.containers.remove(self._name))
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _followed(self, log: StepLog, written: int, request: Request) -> Ending:
        step = self.around.step.step
        outcome: Outcome = "exited"
        stream = await self._in_thread(lambda: self.containers.output(self._name))
        copying = asyncio.ensure_future(asyncio.to_thread(_copy, stream, log, written))
        try:
            async with asyncio.timeout(request.started_at + step.timeout - time.time()):
                await self._beating(copying)
        except TimeoutError:
            outcome = "timed-out"
            await self._in_thread(lambda: self.containers.stop(self._name, self.grace))
            await self._beating(copying)
        finally:
            if not copying.done():
                stream.close()
                await asyncio.wait([copying])
        return await self._ended(log, outcome, request.started_at)

    async def _ended(self, log: StepLog, outcome: Outcome, started_at: float) -> Ending:
        state = await self._in_thread(lambda: self.containers.wait(self._name))
        log.flush(final=True)
        message = _message(state, log)
        if outcome == "timed-out":
            message = timed_out(self.around.step.step.timeout)
            log.line(f"[switchyard] {message}")
        ending = Ending(outcome, state.exit_code, started_at, time.time(), message=message)
        await asyncio.to_thread(write_json, self._folder / "result.json", ending)
        await self._in_thread(lambda: self.containers.remove(self._name))
        return ending

    def _spec(self, command: Command) -> ContainerSpec:
        around, step = self.around, self.around.step.step
        workspace = Path(around.step.workspace.path).resolve()
        owner = workspace.stat()
        ulimits = {"cpu": step.limits.cpu_seconds, "nofile": step.limits.open_files}
        return ContainerSpec(
            name=self._name,
            image=step.image or "",
            argv=command.argv,
            # The image has its own PATH.
            env={name: value for name, value in around.env.items() if name != "PATH"},
            workdir=str(around.workdir),
            user=f"{owner.st_uid}:{owner.st_gid}",
            mounts=(str(workspace), str(around.folder.private)),
            memory=step.limits.memory_mb and step.limits.memory_mb * _MIB,
            processes=step.limits.processes,
            ulimits={name: value for name, value in ulimits.items() if value},
        )

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await self._beating(asyncio.ensure_future(asyncio.to_thread(work)))

    async def _beating(self, task: asyncio.Future[T]) -> T:
        """Its result; heartbeats meanwhile."""
        while not task.done():
            self.beat()
            await asyncio.wait([task], timeout=_BEAT)
        return task.result()


def _copy(stream: object, log: StepLog, written: int) -> None:
    """From the stream to the log, without the first `written` lines: they are there since before the worker's death."""
    held = b""
    for chunk in stream:  # type: ignore[attr-defined]
        if written:
            held += chunk
            while written and b"\n" in held:
                held = held.partition(b"\n")[2]
                written -= 1
            chunk, held = (b"", held) if written else (held, b"")
        log.feed(chunk)


def _lines(log: Path, start: int) -> int:
    if not log.exists():
        return 0
    with log.open("rb") as file:
        file.seek(start)
        return sum(1 for _ in file)


def _message(state: ContainerState, log: StepLog) -> str:
    if state.exit_code == 0:
        return ""
    how = "ended for want of memory" if state.out_of_memory else f"exit status {state.exit_code}"
    last = log.last()
    return f"{how}: {last}" if last else how
