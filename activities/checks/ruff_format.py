"""ruff-format: every file that ruff would format otherwise is one low finding."""

from __future__ import annotations

from collections.abc import Sequence

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.ruff import finding_of
from activities.checks.venv import engine_module
from activities.checks.verdict import expect, judge
from activities.reports.files import read_json
from activities.reports.shape import items
from activities.reports.sources import Sources
from pipelines.errors import StepFailed


class RuffFormat:
    name = "ruff-format"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        report = context.scratch / "ruff-format.json"
        options = context.options
        if not done:
            flags = ("format", "--check", "--no-cache", "--output-format", "json")
            return Command((*engine_module("ruff"), *flags, *options.args, "--", *options.paths), stdout=report)
        # Status 2 is a wrong call, which leaves no report, or a file that cannot be parsed, which is a finding.
        expect("ruff format", done[0], {0, 1, 2})
        sources = Sources(context.workspace, context.workdir)
        findings = [finding_of(item, sources, "ruff-format") for item in items(read_json(report, "ruff format"), "ruff format")]
        if done[0].exit_code and not findings:
            raise StepFailed("ruff format refused, but named no file", "Its own words are in the step's log")
        return judge(["ruff-format"], findings, options.fail_on)
