"""The commands of one step, by number, as supervised processes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activities.checks.base import Command
from activities.steps.environment import human, rlimits, with_mark
from activities.steps.folder import StepFolder, StepRecord
from activities.steps.job import Ending, Job
from activities.steps.launcher import Launcher
from activities.steps.masking import Masker
from activities.steps.seen import Seen
from activities.steps.steplog import StepLog
from activities.steps.supervised import Supervised
from pipelines.messages.build import StepInput


@dataclass(frozen=True)
class Surroundings:
    """What every command of a step gets. `env` and `secrets` hold secret values."""

    step: StepInput
    folder: StepFolder
    workdir: Path
    env: Mapping[str, str]
    secrets: tuple[str, ...]

    def say(self, text: str) -> None:
        """Into the step's log."""
        log = StepLog(self.folder.log, Masker(self.secrets))
        log.line(f"[switchyard] {text}")
        log.close()


class Commands(Protocol):
    """Where the commands of a step run. Numbers count from 0; a command is started when the one before has ended.

    `look`: those that have been started. `start`: with `seconds` until it has timed out. `clear`: end what is left of a lost one
    and forget it.
    """

    @property
    def around(self) -> Surroundings: ...

    async def look(self) -> list[Seen]: ...

    async def start(self, number: int, command: Command, record: StepRecord, seconds: float) -> None: ...

    async def wait(self, number: int, record: StepRecord) -> Ending: ...

    async def abort(self, number: int) -> None: ...

    async def clear(self, number: int) -> None: ...


@dataclass(frozen=True)
class Processes:
    """`grace`: seconds from SIGTERM to SIGKILL."""

    around: Surroundings
    launcher: Launcher
    beat: Callable[[], None]
    grace: float = 2.0

    async def look(self) -> list[Seen]:
        found: list[Seen] = []
        while (seen := self._at(len(found)).look()) is not None:
            found.append(seen)
        return found

    async def start(self, number: int, command: Command, record: StepRecord, seconds: float) -> None:
        starting = asyncio.ensure_future(self._at(number).start(self._job(number, command, record, seconds)))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Only what has started, or has not, can be aborted.
            await asyncio.wait([starting])
            raise

    async def wait(self, number: int, record: StepRecord) -> Ending:
        return await self._at(number).wait()

    async def abort(self, number: int) -> None:
        await self._at(number).abort()

    async def clear(self, number: int) -> None:
        await self._at(number).clear()

    def _at(self, number: int) -> Supervised:
        return Supervised(self.around.folder.command(number), self.launcher, self.beat)

    def _job(self, number: int, command: Command, record: StepRecord, seconds: float) -> Job:
        around, step = self.around, self.around.step.step
        mark = uuid.uuid4().hex
        return Job(
            folder=str(around.folder.command(number)),
            mark=mark,
            argv=list(command.argv),
            env=with_mark({**around.env, **command.env}, mark),
            cwd=str(around.workdir),
            log=str(around.folder.log),
            secrets=list(around.secrets),
            timeout=seconds,
            timeout_text=timed_out(step.timeout),
            stdout=str(command.stdout) if command.stdout else None,
            log_start=record.log_start,
            log_budget=log_budget(step.limits.log_mb),
            grace=self.grace,
            limits=rlimits(step.limits),
        )


def timed_out(timeout: float) -> str:
    return f"timed out after {human(timeout)}"


def log_budget(mebibytes: float) -> int:
    return int(mebibytes * (1 << 20))
