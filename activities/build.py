"""Steps: run once, whatever happens to the worker."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from activities.base import heartbeat, implements
from activities.checks.base import Check, CheckContext, CheckReport
from activities.checks.registry import CHECKS
from activities.clients.containers import Containers
from activities.clients.secrets import SecretResolver
from activities.steps.cancellation import why_cancelled
from activities.steps.carry import Carried, carry_out, stop, way
from activities.steps.commands import Commands, Processes, Surroundings
from activities.steps.contained import Contained
from activities.steps.environment import environment, workdir
from activities.steps.evidence import Evidence
from activities.steps.folder import StepFolder, StepRecord, identity
from activities.steps.launcher import Launcher
from activities.steps.masking import Masker
from activities.steps.outcome import censored, result_of, write_lines
from activities.steps.script import Script
from activities.steps.steplog import StepLog
from pipelines.builtins import BUILTINS
from pipelines.errors import HostLost, SpecError, StepFailed
from pipelines.layout import Layout
from pipelines.messages.build import StepInput, StepResult
from pipelines.messages.common import Status
from pipelines.ports import RUN_STEP


class Steps:
    """Implements RUN_STEP. A step's process belongs to a supervisor of its own that outlives this worker: an activity only starts
    or finds it, follows it and reports.

    `grace`: seconds from SIGTERM to SIGKILL when a step is aborted. `offline`: checks ask no service on the internet.
    """

    def __init__(
        self,
        layout: Layout,
        secrets: SecretResolver,
        evidence: Evidence,
        containers: Containers | None = None,
        checks: Mapping[str, Check] = CHECKS,
        *,
        offline: bool = False,
        grace: float = 2.0,
    ) -> None:
        self._layout, self._secrets, self._evidence = layout, secrets, evidence
        self._containers = containers or Containers()
        self._checks, self._offline, self._grace = checks, offline, grace
        self._launcher = Launcher()

    def close(self) -> None:
        """Let go; steps that run go on and are found again."""
        self._launcher.close()

    @implements(RUN_STEP)
    async def run_step(self, step: StepInput) -> StepResult:
        """Raises SettingsError for a secret or Docker that is missing, SpecError for a step that cannot be, HostLost when
        the worker shuts down, WorkspaceLost when the workspace is gone, Unavailable when the supervisor is."""
        folder = StepFolder(self._layout, step)
        beat = _beat(folder)
        try:
            async with folder.held(beat):
                check = self._check_of(step)
                where = workdir(Path(step.workspace.path), step.step.workdir)
                return await self._run(step, folder, check, where, beat)
        except StepFailed as error:
            return StepResult(key=step.key, title=step.step.title, status=Status.failed, message=str(error))
        except asyncio.CancelledError:
            # The SDK would report a worker's end as a cancellation, which is for ever.
            if await why_cancelled() == "hand-over":
                raise HostLost("the worker lets go; the step goes on and is taken over", "Nothing has to be done") from None
            raise

    def _check_of(self, step: StepInput) -> Check:
        spec = step.step
        if spec.uses is None:
            return Script(spec)
        if spec.uses not in self._checks:
            raise SpecError(f"there is no built-in check '{spec.uses}'", f"Use one of {', '.join(sorted(self._checks))}")
        if spec.image:
            raise SpecError(f"the built-in check '{spec.uses}' does not run in an image", "Remove 'image', or use 'run'")
        return self._checks[spec.uses]

    async def _run(self, step: StepInput, folder: StepFolder, check: Check, where: Path, beat: Callable[[], None]) -> StepResult:
        workspace = identity(Path(step.workspace.path))
        record = folder.read()
        if record is not None and record.result is not None and way(record, step, workspace, ()) == "known":
            return _known(record.result, step, record.same_call(step))
        values = await asyncio.to_thread(self._secrets.resolve, step.secrets)
        masker = Masker(values.values())
        commands = self._commands(step, folder, where, values, beat)
        if record is None or way(record, step, workspace, await commands.look()) == "anew":
            await stop(commands)
            record = await asyncio.to_thread(_begin, folder, step, masker)
        context = self._context(step, folder, where)
        try:
            carried = await carry_out(check, context, commands, record)
        except asyncio.CancelledError:
            await self._cancelled(step, folder, commands, record)
            raise
        return await asyncio.to_thread(self._finish, step, folder, record, carried, masker)

    def _commands(
        self, step: StepInput, folder: StepFolder, where: Path, secrets: Mapping[str, str], beat: Callable[[], None]
    ) -> Commands:
        env = environment(step, folder.private, secrets, os.environ)
        around = Surroundings(step, folder, where, env, tuple(secrets.values()))
        if step.step.image:
            return Contained(around, self._containers, beat, self._grace)
        return Processes(around, self._launcher, beat, self._grace)

    def _context(self, step: StepInput, folder: StepFolder, where: Path) -> CheckContext:
        workspace = Path(step.workspace.path).resolve()
        return CheckContext(workspace, where, folder.scratch, _options(step), self._offline)

    async def _cancelled(self, step: StepInput, folder: StepFolder, commands: Commands, record: StepRecord) -> None:
        """End the process, unless the next attempt is to take it over."""
        if await why_cancelled() != "abort":
            return
        await stop(commands)
        carried = Carried(CheckReport(Status.cancelled, "cancelled"))
        await asyncio.to_thread(_keep, folder, record, result_of(step, folder, record, carried))

    def _finish(self, step: StepInput, folder: StepFolder, record: StepRecord, carried: Carried, masker: Masker) -> StepResult:
        """Evidence first: once the result is kept, nobody comes back for it."""
        carried.report = censored(carried.report, masker)
        if step.step.uses is not None:
            write_lines(folder, masker, carried.report)
            if carried.broken:
                self._evidence.broken(step, carried.report.message)
            else:
                self._evidence.store(step, carried.report)
        result = result_of(step, folder, record, carried)
        _keep(folder, record, result)
        return result


def _options(step: StepInput) -> Any:
    """Raises SpecError; the loader has checked options before, but definitions come from elsewhere too."""
    if step.step.uses is None:
        return None
    try:
        return BUILTINS[step.step.uses].options.model_validate(step.step.options)
    except ValidationError as error:
        first = error.errors()[0]
        place = first["loc"][0] if first["loc"] else "with"
        raise SpecError(
            f"option '{place}' of '{step.step.uses}' is wrong: {first['msg']}", "Correct 'with' of the step"
        ) from None


def _beat(folder: StepFolder) -> Callable[[], None]:
    """Heartbeats with the size of the log in bytes."""

    def beat() -> None:
        heartbeat(folder.log.stat().st_size if folder.log.exists() else 0, "running")

    return beat


def _known(result: StepResult, step: StepInput, same_call: bool) -> StepResult:
    """The answer to the same call is the same answer; to another one, that nothing had to be done."""
    return result if same_call else result.model_copy(update={"reused": True, "attempt": step.attempt})


def _begin(folder: StepFolder, step: StepInput, masker: Masker) -> StepRecord:
    """A log that has something in it already says where the next attempt begins."""
    record = folder.begin(step)
    if record.log_start:
        log = StepLog(folder.log, masker)
        log.line(f"[switchyard] {step.step.title}: attempt {step.attempt}")
        log.close()
        record = record.model_copy(update={"log_start": folder.log.stat().st_size})
        folder.write(record)
    return record


def _keep(folder: StepFolder, record: StepRecord, result: StepResult) -> None:
    folder.write(record.model_copy(update={"result": result}))
    folder.tidy()
