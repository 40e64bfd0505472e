"""Pure work on findings and test cases: fingerprints, counts, duplicates, summaries."""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import get_args

from pipelines.messages.common import FindingCounts, TestSummary
from pipelines.messages.quality import Finding, TestCase
from pipelines.spec.gate import Severity

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the most severe."""

MOST_FAILURES = 20
_MOST_MESSAGE = 300
_RUFF_BANDIT = re.compile(r"S(\d{3})")
_BANDIT = re.compile(r"B([1-7]\d{2})")


def fingerprint(tool: str, rule: str, path: str, text: str) -> str:
    """32 hex digits that stay when lines move or indentation changes. `text` is the offending text, without line numbers."""
    parts = (tool, rule, path, " ".join(text.split()))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def at_least(severity: Severity, floor: Severity) -> bool:
    return SEVERITIES.index(severity) >= SEVERITIES.index(floor)


def number_repeats(findings: Iterable[Finding]) -> list[Finding]:
    """Of one report: drops exact repeats, and gives the second, third... finding with one fingerprint a number of its own."""
    seen: dict[str, int] = defaultdict(int)
    kept = []
    for finding in dict.fromkeys(findings):
        seen[finding.fingerprint] += 1
        nth = seen[finding.fingerprint]
        kept.append(finding if nth == 1 else finding.model_copy(update={"fingerprint": f"{finding.fingerprint}-{nth}"}))
    return kept


def count(findings: Iterable[Finding]) -> FindingCounts:
    """How many there are of each severity; duplicates are the caller's to remove."""
    counts: dict[str, int] = defaultdict(int)
    for finding in findings:
        counts[finding.severity] += 1
    return FindingCounts(**counts)


def problem(finding: Finding) -> tuple[str, str, int | None]:
    """What two tools that report the same problem agree on: the kind of problem, the file and the line.

    ruff's S rules are bandit's B rules by number (flake8-bandit); otherwise the CWE decides, and without
    one, or without a line, the rule.
    """
    if match := _RUFF_BANDIT.fullmatch(finding.rule) if finding.tool == "ruff" else _BANDIT.fullmatch(finding.rule):
        return f"bandit:{match[1]}", finding.path, finding.line
    return (finding.line and finding.cwe) or finding.rule, finding.path, finding.line


def dedupe(findings: Iterable[Finding]) -> list[Finding]:
    """Of a problem that several tools report with one severity, keeps the reports of the tool that has most of them; of one
    finding that several steps report (the cells of a matrix), one.

    Reports that differ in severity are all kept: a second, milder or harsher opinion must not lower any count, so that more
    findings can never make a gate pass.
    """
    groups: dict[tuple[object, ...], dict[str, dict[str, Finding]]] = defaultdict(lambda: defaultdict(dict))
    for finding in findings:
        groups[(*problem(finding), finding.severity)][finding.tool][finding.fingerprint] = finding
    return [finding for by_tool in groups.values() for finding in max(by_tool.values(), key=len).values()]


def summarise(cases: Sequence[TestCase]) -> TestSummary:
    """Counts of one or many reports; a case that failed in an earlier run and passed in its last is passed and flaky."""
    failed = [case for case in cases if case.status in ("failed", "error")]
    skipped = sum(case.status == "skipped" for case in cases)
    return TestSummary(
        total=len(cases),
        passed=len(cases) - len(failed) - skipped,
        failed=len(failed),
        skipped=skipped,
        flaky=sum(is_flaky(case) for case in cases),
        seconds=round(math.fsum(case.seconds for case in cases), 6),
        failures=[failure_line(case) for case in failed[:MOST_FAILURES]],
    )


def is_flaky(case: TestCase) -> bool:
    return case.status == "passed" and any(run in ("failed", "error") for run in case.runs)


def failure_line(case: TestCase) -> str:
    """'suite::test: message (file:line)', on one line."""
    lines = case.message.strip().splitlines() or [case.status]
    place = f" ({case.place})" if case.place else ""
    return f"{case.suite}::{case.name}: {lines[0][:_MOST_MESSAGE]}{place}"


def combine(summaries: Iterable[TestSummary]) -> TestSummary | None:
    """The sum of summaries, with at most 20 failures; None without any."""
    parts = list(summaries)
    if not parts:
        return None
    return TestSummary(
        total=sum(part.total for part in parts),
        passed=sum(part.passed for part in parts),
        failed=sum(part.failed for part in parts),
        skipped=sum(part.skipped for part in parts),
        flaky=sum(part.flaky for part in parts),
        seconds=round(math.fsum(part.seconds for part in parts), 6),
        failures=[line for part in parts for line in part.failures][:MOST_FAILURES],
    )
