"""From findings to the outcome of a step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from activities.checks.base import CheckReport, Finished
from pipelines.builtins import FailOn
from pipelines.errors import StepFailed
from pipelines.findings import SEVERITIES, at_least, count, number_repeats
from pipelines.messages.common import Status
from pipelines.messages.quality import Finding

_MOST_LINES = 200


def judge(tools: Sequence[str], findings: Iterable[Finding], fail_on: FailOn) -> CheckReport:
    """Fails when a finding is at least as severe as `fail_on`."""
    found = sorted(number_repeats(findings), key=lambda each: (-SEVERITIES.index(each.severity), each.path, each.line or 0))
    bad = [] if fail_on == "never" else [finding for finding in found if at_least(finding.severity, fail_on)]
    return CheckReport(
        status=Status.failed if bad else Status.passed,
        message=f"{_counted(found)}; first: {line_of(bad[0])}" if bad else _counted(found),
        tools=tuple(dict.fromkeys(tools)),
        findings=tuple(found),
        lines=_shown(found),
    )


def line_of(finding: Finding) -> str:
    """'path:line:column severity rule message', on one line."""
    place = ":".join(str(part) for part in (finding.path, finding.line, finding.column) if part)
    return " ".join(f"{place} {finding.severity} {finding.rule} {finding.message}".split())[:400]


def _counted(findings: Sequence[Finding]) -> str:
    counts = count(findings)
    parts = [f"{getattr(counts, severity)} {severity}" for severity in reversed(SEVERITIES) if getattr(counts, severity)]
    return f"{len(findings)} findings ({', '.join(parts)})" if parts else "no findings"


def _shown(findings: Sequence[Finding]) -> tuple[str, ...]:
    lines = [line_of(finding) for finding in findings[:_MOST_LINES]]
    left = len(findings) - len(lines)
    return (*lines, f"... and {left} more") if left else tuple(lines)


def expect(tool: str, finished: Finished, good: Iterable[int]) -> None:
    """Raises StepFailed when a tool ended with a status that means it did not do its work."""
    if finished.exit_code not in good:
        raise StepFailed(f"{tool} did not work: it ended with status {finished.exit_code}", "Its own words are in the step's log")
