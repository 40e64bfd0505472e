"""Carrying a step out: from wherever an earlier activity left it, to its report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from activities.checks.base import Check, CheckContext, CheckReport, Finished
from activities.steps.commands import Commands
from activities.steps.folder import StepRecord
from activities.steps.job import Ending
from activities.steps.seen import Seen
from pipelines.errors import StepFailed
from pipelines.messages.build import StepInput
from pipelines.messages.common import Status

_NOT_STARTED = 127
"""The shell's exit status for a program that cannot be started."""

Way = Literal["known", "continue", "anew"]


@dataclass
class Carried:
    """`broken`: the check could not do its work, so that its report is no evidence."""

    report: CheckReport
    endings: list[Ending] = field(default_factory=list)
    broken: bool = False


def way(record: StepRecord | None, step: StepInput, workspace: str, begun: Sequence[Seen]) -> Way:
    """What to do about a step that may have begun before.

    What passed is known for ever, in the same workspace; what failed, for the call that saw it fail; what is under way, or has
    passed without anybody seeing it, is taken on by whoever comes.
    """
    if record is None or record.workspace != workspace:
        return "anew"
    same = record.same_call(step)
    if record.result is not None:
        return "known" if same or record.result.status.ok else "anew"
    if same:
        return "continue"
    return "continue" if begun and all(seen.passed or seen.state == "running" for seen in begun) else "anew"


async def stop(commands: Commands) -> None:
    """End whatever of the step runs, or is left of a command that was lost."""
    for number, seen in enumerate(await commands.look()):
        if seen.state == "running":
            await commands.abort(number)
        elif seen.state == "lost":
            await commands.clear(number)


async def carry_out(check: Check, context: CheckContext, commands: Commands, record: StepRecord) -> Carried:
    """Run what has not been run, attach to what runs, believe what has ended. Raises InfrastructureError to be called again."""
    endings: list[Ending] = []
    done: list[Finished] = []
    begun = await commands.look()
    while True:
        number = len(done)
        state = begun[number].state if number < len(begun) else "new"
        if state == "lost":
            commands.around.say("the process was lost with its supervisor or host: it is run again")
            await commands.clear(number)
        if state in ("lost", "new"):
            try:
                answer = await asyncio.to_thread(check.next, context, list(done))
            except StepFailed as error:
                return Carried(CheckReport(Status.failed, str(error)), endings, broken=True)
            if isinstance(answer, CheckReport):
                return Carried(answer, endings)
            await commands.start(number, answer, record, _left(commands.around.step.step.timeout, endings))
        ending = await commands.wait(number, record)
        endings.append(ending)
        if ending.outcome != "exited":
            status = Status.cancelled if ending.outcome == "cancelled" else Status.failed
            return Carried(CheckReport(status, ending.message), endings, broken=True)
        done.append(Finished(_NOT_STARTED if ending.exit_code is None else ending.exit_code))


def _left(timeout: float, endings: Sequence[Ending]) -> float:
    """Seconds of the step's own time that its commands have not used; a time in which the host was away does not count."""
    return max(0.0, timeout - sum(ending.finished_at - ending.started_at for ending in endings))
