"""Gates: whether a run's evidence satisfies a policy. Pure; what is missing never passes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from pydantic import Field

from pipelines.findings import SEVERITIES, count, dedupe
from pipelines.messages.common import FindingCounts, Message, TestSummary
from pipelines.messages.quality import Finding, GateDecision
from pipelines.spec.gate import Acceptance, GateSpec

_NO_FINDINGS = {"pytest", "junit", "coverage"}
"""Checks whose reports hold no findings, so that they say nothing about limits of findings."""


class Evidence(Message):
    """All that a run has gathered so far."""

    findings: list[Finding] = Field(default_factory=list)
    tools: list[str] = Field(default_factory=list, description="tools and checks whose report is there")
    unavailable: dict[str, str] = Field(default_factory=dict, description="tools that could not work, and why")
    tests: TestSummary | None = None
    coverage: float | None = Field(None, description="line coverage in percent")


@dataclass
class _Ledger:
    """Collects one evidence line per fact and the reasons among them."""

    evidence: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)

    def note(self, line: str, good: bool = True) -> None:
        self.evidence.append(line if good else f"{line}: refused")
        if not good:
            self.reasons.append(line)


def decide(policy: GateSpec, evidence: Evidence, today: date) -> GateDecision:
    """The decision of one gate on `today` (UTC).

    Findings are counted per severity after those of the baseline are taken out and those that several tools share are counted
    once. An acceptance holds through its last day. Evidence that a limit speaks of and that is not there refuses.
    """
    ledger = _Ledger()
    _judge_tools(policy, evidence, ledger)
    open_findings = _apply_baseline(policy.baseline, evidence.findings, today, ledger)
    counts = count(dedupe(open_findings))
    _judge_findings(policy, evidence, counts, ledger)
    _judge_coverage(policy, evidence.coverage, ledger)
    _judge_tests(policy, evidence.tests, ledger)
    return GateDecision(
        passed=not ledger.reasons,
        reasons=ledger.reasons,
        evidence=ledger.evidence,
        findings=counts,
        accepted=len(evidence.findings) - len(open_findings),
        coverage=evidence.coverage,
        tests=evidence.tests,
    )


def _judge_tools(policy: GateSpec, evidence: Evidence, ledger: _Ledger) -> None:
    """A tool that reported in one place of the run but could not work in another has left evidence out: it is missing."""
    reported = set(evidence.tools) - set(evidence.unavailable)
    for tool in policy.require:
        if tool in reported:
            ledger.note(f"{tool}: reported, as required")
        else:
            why = evidence.unavailable.get(tool, "no step of this run has reported it")
            ledger.note(f"{tool}: required, but its report is missing ({why})", good=False)
    for tool in sorted(reported - set(policy.require)):
        ledger.note(f"{tool}: reported")
    for tool in sorted(set(evidence.unavailable) - set(policy.require)):
        ledger.note(f"{tool}: not available ({evidence.unavailable[tool]}), not required")


def accepts(entry: Acceptance, finding: Finding) -> bool:
    """Whether a baseline entry speaks of the finding, expired or not."""
    return entry.fingerprint in (finding.fingerprint, f"{finding.rule}:{finding.path}", f"{finding.rule}:*")


def _apply_baseline(baseline: Iterable[Acceptance], findings: list[Finding], today: date, ledger: _Ledger) -> list[Finding]:
    left = list(findings)
    for entry in baseline:
        hit = [finding for finding in left if accepts(entry, finding)]
        words = f"'{entry.fingerprint}' ({entry.owner}, {entry.reason})"
        if entry.expires < today:
            ledger.expired.append(f"baseline {words} expired on {entry.expires}: its {len(hit)} findings count again")
            ledger.note(ledger.expired[-1])
            continue
        ledger.note(f"baseline {words} accepts {len(hit)} findings until {entry.expires}")
        left = [finding for finding in left if not accepts(entry, finding)]
    return left


def _judge_findings(policy: GateSpec, evidence: Evidence, counts: FindingCounts, ledger: _Ledger) -> None:
    if policy.max_findings and not (set(evidence.tools) - _NO_FINDINGS):
        ledger.note("findings: limits are set, but no tool that finds problems has reported", good=False)
    over = False
    for severity in reversed(SEVERITIES):
        found = getattr(counts, severity)
        limit = policy.max_findings.get(severity)
        if limit is None:
            ledger.note(f"{severity} findings: {found}, no limit")
        else:
            ledger.note(f"{severity} findings: {found}, at most {limit}", good=found <= limit)
            over = over or found > limit
    ledger.reasons += ledger.expired if over else []


def _judge_coverage(policy: GateSpec, coverage: float | None, ledger: _Ledger) -> None:
    if policy.min_coverage is None:
        ledger.note("coverage: not required" if coverage is None else f"coverage: {_percent(coverage)}, no limit")
    elif coverage is None:
        ledger.note(f"coverage: at least {policy.min_coverage:g} % is required, but none was reported", good=False)
    else:
        enough = policy.min_coverage <= coverage <= 100
        ledger.note(f"coverage: {_percent(coverage)}, at least {policy.min_coverage:g} %", good=enough)


def _percent(value: float) -> str:
    """Rounded down, so that 79.999 is not shown as the 80 that it is not."""
    return f"{math.floor(value * 100) / 100:.2f} %" if math.isfinite(value) else f"{value} %"


def _judge_tests(policy: GateSpec, tests: TestSummary | None, ledger: _Ledger) -> None:
    if tests is None or tests.total == 0:
        wanted = policy.max_failed_tests is not None or policy.max_flaky_tests is not None
        ledger.note("tests: limits are set, but no test was reported" if wanted else "tests: not required", good=not wanted)
        return
    ledger.note(f"tests: {tests.total} run, {tests.passed} passed, {tests.skipped} skipped")
    for kind, found, limit in (
        ("failed", tests.failed, policy.max_failed_tests),
        ("flaky", tests.flaky, policy.max_flaky_tests),
    ):
        if limit is None:
            ledger.note(f"{kind} tests: {found}, no limit")
        else:
            ledger.note(f"{kind} tests: {found}, at most {limit}", good=found <= limit)
