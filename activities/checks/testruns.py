"""What the checks that run tests share: failed tests run again, and the outcome of all runs together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from activities.checks.base import CheckReport, Finished
from activities.reports.sources import Sources
from pipelines.errors import StepFailed
from pipelines.findings import MOST_FAILURES, failure_line, is_flaky, summarise
from pipelines.messages.common import Status
from pipelines.messages.quality import TestCase

_BAD = ("failed", "error")


def failed(cases: Iterable[TestCase]) -> list[TestCase]:
    return [case for case in cases if case.status in _BAD]


def merge(first: Sequence[TestCase], again: Sequence[Sequence[TestCase]]) -> list[TestCase]:
    """The first run's cases, each failed one with its later statuses in `runs`; the last of them is its status.

    Cases are matched by suite and name; when a later run has several of that name, the worst counts. What passed at first
    stays passed, whatever later runs say of it.
    """
    later: dict[tuple[str, str], list[str]] = defaultdict(list)
    for cases in again:
        statuses: dict[tuple[str, str], list[str]] = defaultdict(list)
        for case in cases:
            statuses[case.suite, case.name].append(case.status)
        for key, found in statuses.items():
            later[key].append(next((status for status in found if status in _BAD), found[-1]))
    return [_with_history(case, later[case.suite, case.name]) if case.status in _BAD else case for case in first]


def _with_history(case: TestCase, later: list[str]) -> TestCase:
    """A test that is skipped when run again has not passed: it stays failed."""
    if not later:
        return case
    runs = [*(case.runs or [case.status]), *later]
    status = "passed" if "passed" in later else case.status
    return case.model_copy(update={"runs": runs, "status": status})


def placed(cases: Iterable[TestCase], sources: Sources) -> list[TestCase]:
    """With places relative to the workspace."""
    return [case.model_copy(update={"place": _place(case.place, sources)}) if case.place else case for case in cases]


def _place(place: str, sources: Sources) -> str:
    file, colon, line = place.rpartition(":")
    return f"{sources.relative(file)}:{line}" if colon and line.isdigit() else sources.relative(place)


def explain(runner: str, ended: Finished, cases: Sequence[TestCase]) -> None:
    """Raises StepFailed when a first run ended with a status other than 0 that no failed test of its own explains."""
    if ended.exit_code and not failed(cases):
        raise StepFailed(f"{runner} ended with status {ended.exit_code} although no test failed", "Look at the step's log")


def outcome(runner: str, cases: Sequence[TestCase], allow_empty: bool, coverage: float | None = None) -> CheckReport:
    """The step's outcome. Raises StepFailed when there is no test, unless that is allowed."""
    summary = summarise(cases)
    bad = failed(cases)
    if not cases and not allow_empty:
        raise StepFailed(f"{runner} ran no test", "Check what it collects, or set 'allow_empty: true'")
    flaky = f", {summary.flaky} flaky" if summary.flaky else ""
    counted = f"{summary.total} tests: {summary.passed} passed{flaky}, {summary.failed} failed, {summary.skipped} skipped"
    lines = [f"FAILED {line}" for line in summary.failures]
    lines += [f"FLAKY {failure_line(case)}" for case in cases if is_flaky(case)][:MOST_FAILURES]
    return CheckReport(
        status=Status.failed if bad else Status.passed,
        message=f"{counted}; first: {summary.failures[0]}" if bad else counted,
        tools=(runner,),
        tests=tuple(cases),
        coverage=coverage,
        lines=tuple(lines),
    )
