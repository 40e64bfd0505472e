"""checkout: the workspace was filled when the stage opened; this shows with what."""

from __future__ import annotations

from collections.abc import Sequence

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.verdict import expect
from pipelines.errors import StepFailed
from pipelines.messages.common import Status


class Checkout:
    name = "checkout"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        if done:
            expect("git", done[0], {0})
            return CheckReport(Status.passed, "the commit is checked out")
        if not any(context.workdir.iterdir()):
            raise StepFailed(f"{context.place('.')} is empty: no commit is checked out there", "Check the step's 'workdir'")
        if (context.workspace / ".git").exists():
            return Command(("git", "--no-pager", "log", "-1", "--stat", "--format=%H %an: %s"))
        return CheckReport(Status.passed, "the commit's files are there")
