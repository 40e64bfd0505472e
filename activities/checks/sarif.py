"""sarif: the findings of any tool that writes SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Sequence

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.globs import files, remove
from activities.checks.verdict import expect, judge
from activities.reports.sarif import read_sarif
from activities.reports.sources import Sources
from pipelines.errors import StepFailed


class Sarif:
    name = "sarif"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        options = context.options
        if options.run and not done:
            remove(context, [options.report])
            return Command((options.shell, "-c", options.run))
        if done:
            expect("the command", done[0], options.exit_codes)
        paths = files(context, [options.report])
        if not paths:
            raise StepFailed(f"no SARIF file matches '{options.report}'", "Check the glob and that the tool writes there")
        sources = Sources(context.workspace, context.workdir)
        reports = [read_sarif(path, options.tool or None, sources) for path in paths]
        tools = [tool for names, _ in reports for tool in names]
        return judge(tools, [finding for _, found in reports for finding in found], options.fail_on)
