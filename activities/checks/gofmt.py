"""gofmt: every Go file that gofmt would format otherwise is one low finding."""

from __future__ import annotations

from collections.abc import Sequence

from activities.checks.base import CheckContext, CheckReport, Command, Finished, need_tool
from activities.checks.verdict import expect, judge
from activities.reports.files import read_bounded
from activities.reports.sources import Sources
from pipelines.findings import fingerprint
from pipelines.messages.quality import Finding


class Gofmt:
    name = "gofmt"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        report = context.scratch / "gofmt.txt"
        if not done:
            return Command((need_tool("gofmt", "Install Go"), "-l", *context.options.paths), stdout=report)
        expect("gofmt", done[0], {0})
        sources = Sources(context.workspace, context.workdir)
        paths = read_bounded(report, "gofmt").decode("utf-8", "replace").splitlines()
        return judge(["gofmt"], [_finding(sources.relative(path)) for path in paths if path.strip()], context.options.fail_on)


def _finding(path: str) -> Finding:
    return Finding(
        tool="gofmt",
        rule="unformatted",
        severity="low",
        message="would be formatted otherwise",
        path=path,
        fingerprint=fingerprint("gofmt", "unformatted", path, ""),
        remedy="Run gofmt -w",
    )
