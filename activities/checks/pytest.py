"""pytest: Python tests, with the workspace's .venv when there is one, else with the engine's pytest.

Failed tests are run again by the node ids that pytest's own cache lists as lately failed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.testruns import explain, failed, merge, outcome, placed
from activities.checks.venv import has_package, python_of, venv_of
from activities.checks.verdict import expect
from activities.reports.coverage import parse_coverage
from activities.reports.junit import parse_junit
from activities.reports.sources import Sources
from pipelines.errors import StepFailed
from pipelines.messages.quality import TestCase

_PASSED, _FAILED, _BROKEN, _EMPTY = 0, 1, 2, 5
_MOST_AGAIN = 200
"""More failed tests than this are no flakiness, and their ids would not fit a command line."""


class Pytest:
    name = "pytest"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        if not done:
            return self._run(context, 0, context.options.paths)
        # 2: a test file could not be collected; the report lists it as an error.
        expect("pytest", done[-1], {_PASSED, _FAILED, _BROKEN, _EMPTY})
        runs = [_cases(context, number) for number in range(len(done))]
        cases = merge(runs[0], runs[1:])
        if done[0].exit_code == _FAILED and failed(cases) and len(done) <= context.options.rerun_failed:
            again = _lately_failed(context, len(done) - 1)
            if 0 < len(again) <= _MOST_AGAIN:
                return self._run(context, len(done), again)
        if done[0].exit_code != _EMPTY:
            explain("pytest", done[0], runs[0])
        return outcome("pytest", cases, context.options.allow_empty, _coverage(context, cases))

    def _run(self, context: CheckContext, number: int, what: Sequence[str]) -> Command:
        options, scratch = context.options, context.scratch
        flags = ["--junit-xml", str(scratch / f"junit-{number}.xml"), "-o", "junit_family=xunit1", "--color=no"]
        flags += ["-o", f"cache_dir={scratch / f'cache-{number}'}", f"--rootdir={context.workdir}"]
        if options.coverage and number == 0:
            flags += [f"--cov={source}" for source in options.source] + [f"--cov-report=xml:{scratch / 'coverage.xml'}"]
        env = {"COVERAGE_FILE": str(scratch / f"coverage-{number}.data"), "PYTHONDONTWRITEBYTECODE": "1"}
        return Command((*_python(context), *flags, *options.args, *what), env)


def _python(context: CheckContext) -> tuple[str, ...]:
    venv = venv_of(context)
    if venv is None:
        return sys.executable, "-m", "pytest"
    for needed, package in (("pytest", "pytest"), ("pytest_cov", "pytest-cov")):
        if not has_package(venv, needed) and (needed == "pytest" or context.options.coverage):
            raise StepFailed(f".venv has no {package}", f"Add {package} to the requirements, or to 'packages' of python/install")
    return str(python_of(venv)), "-m", "pytest"


def _cases(context: CheckContext, number: int) -> list[TestCase]:
    return placed(parse_junit(context.scratch / f"junit-{number}.xml"), Sources(context.workspace, context.workdir))


def _lately_failed(context: CheckContext, number: int) -> list[str]:
    """Node ids; none when the project turns pytest's cache off: then failures stay failures."""
    try:
        listed = json.loads((context.scratch / f"cache-{number}" / "v" / "cache" / "lastfailed").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return sorted(listed) if isinstance(listed, dict) else []


def _coverage(context: CheckContext, cases: Sequence[TestCase]) -> float | None:
    """None when it was not asked for, or when tests failed so early that nothing was measured."""
    report = context.scratch / "coverage.xml"
    if not context.options.coverage or (failed(cases) and not report.exists()):
        return None
    return parse_coverage(report)
