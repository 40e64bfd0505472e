"""junit: tests by any runner that writes JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.globs import files, remove
from activities.checks.testruns import explain, failed, merge, outcome, placed
from activities.reports.junit import parse_junit
from activities.reports.sources import Sources
from pipelines.errors import StepFailed
from pipelines.messages.quality import TestCase

_CASES = TypeAdapter(list[TestCase])


class Junit:
    name = "junit"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        options = context.options
        runs = [_collected(context, number, ended) for number, ended in enumerate(done)]
        cases = merge(runs[0], runs[1:]) if runs else []
        if not done or (failed(cases) and len(done) <= options.rerun_failed):
            remove(context, [options.report])
            return Command((options.shell, "-c", options.run))
        explain("the command", done[0], runs[0])
        return outcome("junit", cases, options.allow_empty)


def _collected(context: CheckContext, number: int, ended: Finished) -> list[TestCase]:
    """A run's cases, kept in `scratch` because the next run overwrites the reports."""
    kept = context.scratch / f"run-{number}.json"
    if kept.is_file():
        return _CASES.validate_json(kept.read_bytes())
    paths = files(context, [context.options.report])
    if not paths:
        raise StepFailed(
            f"no JUnit report matches '{context.options.report}' after the command ended with status {ended.exit_code}",
            "Check the glob, and the step's log",
        )
    cases = placed([case for path in paths for case in parse_junit(path)], Sources(context.workspace, context.workdir))
    partial = kept.with_suffix(".part")
    partial.write_bytes(_CASES.dump_json(cases))
    partial.replace(kept)
    return cases
