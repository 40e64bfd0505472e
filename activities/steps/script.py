"""A plain `run:` step as a check: one command, whose exit status is the outcome."""

from __future__ import annotations

from collections.abc import Sequence

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.steps.environment import shell
from pipelines.messages.common import Status
from pipelines.spec import Step


class Script:
    """Its failed report has no message: the runner knows the command's last words."""

    name = "run"

    def __init__(self, step: Step) -> None:
        self._argv = shell(step.shell, step.run or "")

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        if not done:
            return Command(self._argv)
        return CheckReport(Status.passed if done[0].exit_code == 0 else Status.failed)
