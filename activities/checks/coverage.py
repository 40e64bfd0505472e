"""coverage: line coverage from a Cobertura XML file."""

from __future__ import annotations

from collections.abc import Sequence

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.globs import files, remove
from activities.checks.verdict import expect
from activities.reports.coverage import combined_coverage
from pipelines.errors import StepFailed
from pipelines.messages.common import Status


class Coverage:
    name = "coverage"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        options = context.options
        if options.run and not done:
            remove(context, [options.report])
            return Command((options.shell, "-c", options.run))
        if done:
            expect("the command", done[0], {0})
        percent = combined_coverage(files(context, [options.report]))
        if percent is None:
            raise StepFailed(
                f"no coverage report matches '{options.report}'", "Write Cobertura XML there, e.g. with `coverage xml`"
            )
        least = options.minimum
        enough = least is None or percent >= least
        message = f"{percent:.1f} % of lines" if enough else f"{percent:.2f} % of lines, at least {least:g} % is required"
        return CheckReport(Status.passed if enough else Status.failed, message, tools=("coverage",), coverage=percent)
