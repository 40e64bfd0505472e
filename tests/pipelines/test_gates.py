"""Gates: every limit, the baseline, and that what is missing never passes."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.gates import Evidence, decide
from pipelines.messages.common import FindingCounts, TestSummary
from pipelines.messages.quality import Finding, GateDecision
from pipelines.spec.gate import Acceptance, GateSpec
from tests.support.evidence import finding, findings

TODAY = date(2025, 6, 15)
GOOD_TESTS = TestSummary(total=10, passed=10)
OPEN = GateSpec(max_findings={}, min_coverage=None, max_failed_tests=None)


def evidence(**more: Any) -> Evidence:
    return Evidence(**({"tools": ["bandit"], "tests": GOOD_TESTS, "coverage": 90.0} | more))


def judged(policy: GateSpec | None = None, **more: Any) -> GateDecision:
    return decide(policy or GateSpec(), evidence(**more), TODAY)


def acceptance(text: str, expires: date = TODAY, owner: str = "ana") -> Acceptance:
    return Acceptance(fingerprint=text, owner=owner, reason="known", expires=expires)


def test_good_evidence_passes_and_every_fact_is_listed() -> None:
    decision = judged()
    assert decision.passed
    assert decision.reasons == []
    text = "\n".join(decision.evidence)
    for fact in ("bandit: reported", "critical findings: 0, at most 0", "coverage: 90.00 %, at least 80 %", "failed tests: 0"):
        assert fact in text
    assert (decision.coverage, decision.tests, decision.accepted) == (90.0, GOOD_TESTS, 0)


def test_no_evidence_at_all_refuses_for_each_missing_thing() -> None:
    decision = decide(GateSpec(require=["secrets"]), Evidence(), TODAY)
    assert not decision.passed
    assert len(decision.reasons) == 4
    for word in ("secrets: required", "no tool that finds problems", "coverage: at least 80 %", "no test was reported"):
        assert any(word in reason for reason in decision.reasons)


def test_a_policy_without_demands_passes_without_evidence() -> None:
    assert decide(OPEN, Evidence(), TODAY).passed


@pytest.mark.parametrize(
    ("limits", "found", "passes"),
    [
        ({"high": 0}, ["high"], False),
        ({"high": 1}, ["high"], True),
        ({"high": 1}, ["high", "high"], False),
        ({"high": 0}, ["medium", "low", "info"], True),
        ({"critical": 0}, ["high"], True),
        ({"medium": 2, "high": 0}, ["medium", "medium"], True),
        ({}, ["critical"], True),
    ],
)
def test_limits_by_severity(limits: dict[str, int], found: list[str], passes: bool) -> None:
    items = [finding(f"R{number}", severity) for number, severity in enumerate(found)]
    decision = judged(GateSpec.model_validate({"max_findings": limits}), findings=items)
    assert decision.passed is passes
    assert sum(decision.findings.model_dump().values()) == len(found)


def test_the_default_policy_refuses_high_and_critical() -> None:
    assert not judged(findings=[finding(severity="high")]).passed
    assert not judged(findings=[finding(severity="critical")]).passed
    assert judged(findings=[finding(severity="medium")]).passed


def test_a_refusal_names_severity_number_and_limit() -> None:
    decision = judged(findings=[finding("A"), finding("B")])
    assert decision.reasons == ["high findings: 2, at most 0"]
    assert "high findings: 2, at most 0: refused" in decision.evidence
    assert decision.findings == FindingCounts(high=2)


@pytest.mark.parametrize(
    ("coverage", "least", "passes"),
    [(80.0, 80.0, True), (79.999, 80.0, False), (None, 80.0, False), (None, None, True), (0.0, 0.0, True), (100.0, 100.0, True)],
)
def test_coverage(coverage: float | None, least: float | None, passes: bool) -> None:
    assert judged(GateSpec(min_coverage=least), coverage=coverage).passed is passes


def test_coverage_just_under_the_limit_is_not_shown_as_the_limit() -> None:
    assert judged(coverage=79.9999).reasons == ["coverage: 79.99 %, at least 80 %"]


@pytest.mark.parametrize("coverage", [math.nan, math.inf, -math.inf, 100.5, -1.0])
def test_coverage_that_is_no_percentage_never_passes(coverage: float) -> None:
    assert not judged(coverage=coverage).passed


@pytest.mark.parametrize(
    ("policy", "tests", "passes"),
    [
        ({}, TestSummary(total=3, passed=2, failed=1), False),
        ({"max_failed_tests": 1}, TestSummary(total=3, passed=2, failed=1), True),
        ({"max_failed_tests": None}, TestSummary(total=3, failed=3), True),
        ({}, TestSummary(total=3, passed=3, flaky=3), True),
        ({"max_flaky_tests": 2}, TestSummary(total=3, passed=3, flaky=3), False),
        ({"max_flaky_tests": 3}, TestSummary(total=3, passed=3, flaky=3), True),
        ({}, None, False),
        ({}, TestSummary(), False),
        ({"max_failed_tests": None}, None, True),
        ({"max_failed_tests": None, "max_flaky_tests": 0}, None, False),
    ],
)
def test_tests(policy: dict[str, int | None], tests: TestSummary | None, passes: bool) -> None:
    assert judged(GateSpec.model_validate(policy), tests=tests).passed is passes


def test_a_required_tool_must_have_reported() -> None:
    policy = GateSpec(require=["bandit", "secrets"])
    decision = judged(policy)
    assert decision.reasons == ["secrets: required, but its report is missing (no step of this run has reported it)"]
    assert judged(policy, tools=["bandit", "secrets"]).passed


def test_test_results_alone_say_nothing_about_findings() -> None:
    assert not judged(tools=["coverage", "pytest"]).passed
    assert judged(GateSpec(max_findings={}), tools=["coverage", "pytest"]).passed


def test_a_tool_that_was_not_available_is_named_with_its_reason() -> None:
    away = {"pip-audit": "the service does not answer"}
    assert judged(GateSpec(require=["pip-audit"]), unavailable=away).reasons == [
        "pip-audit: required, but its report is missing (the service does not answer)"
    ]
    decision = judged(unavailable=away)
    assert decision.passed
    assert "pip-audit: not available (the service does not answer), not required" in decision.evidence


@pytest.mark.parametrize("text", ["f1", "R1:app.py", "R1:*"])
def test_an_acceptance_by_fingerprint_rule_and_path_or_rule(text: str) -> None:
    decision = judged(GateSpec(baseline=[acceptance(text)]), findings=[finding("R1", fingerprint="f1")])
    assert decision.passed
    assert decision.accepted == 1
    assert decision.findings == FindingCounts()
    assert any("ana" in line and "accepts 1 finding" in line for line in decision.evidence)


@pytest.mark.parametrize("text", ["f2", "R1:other.py", "R2:*", "*", "R1", "*:*", ""])
def test_an_acceptance_of_something_else_does_not_count(text: str) -> None:
    decision = judged(GateSpec(baseline=[acceptance(text)]), findings=[finding("R1", fingerprint="f1")])
    assert not decision.passed
    assert decision.accepted == 0


def test_an_acceptance_holds_through_its_last_day() -> None:
    found = [finding("R1")]
    assert judged(GateSpec(baseline=[acceptance("R1:*", TODAY)]), findings=found).passed
    assert not judged(GateSpec(baseline=[acceptance("R1:*", TODAY - timedelta(days=1))]), findings=found).passed


def test_an_expired_acceptance_is_named_as_expired_with_its_owner() -> None:
    decision = judged(GateSpec(baseline=[acceptance("R1:*", date(2025, 1, 31), "bo")]), findings=[finding("R1")])
    assert decision.reasons[0] == "high findings: 1, at most 0"
    assert decision.reasons[1] == "baseline 'R1:*' (bo, known) expired on 2025-01-31: its 1 findings count again"
    assert decision.reasons[1] in decision.evidence


def test_an_expired_acceptance_alone_is_no_reason_to_refuse() -> None:
    decision = judged(GateSpec(baseline=[acceptance("R1:*", date(2025, 1, 31))]), findings=[finding("R1", "low")])
    assert decision.passed
    assert any("expired" in line for line in decision.evidence)


def test_a_valid_acceptance_beside_an_expired_one_of_the_same_counts() -> None:
    baseline = [acceptance("R1:*", date(2025, 1, 31)), acceptance("R1:app.py")]
    assert judged(GateSpec(baseline=baseline), findings=[finding("R1")]).accepted == 1


def test_accepting_one_tools_report_does_not_hide_the_others() -> None:
    both = [finding("B105", tool="bandit"), finding("S105", tool="ruff")]
    decision = judged(GateSpec(baseline=[acceptance("B105:*")]), findings=both)
    assert not decision.passed
    assert decision.findings.high == 1


def test_the_same_problem_from_two_tools_counts_once() -> None:
    both = [finding("B105", tool="bandit"), finding("S105", tool="ruff")]
    assert judged(GateSpec(max_findings={"high": 1}), findings=both).passed


def test_a_required_tool_that_could_not_work_in_one_of_two_places_is_missing() -> None:
    policy = GateSpec(require=["pip-audit"])
    assert judged(policy, tools=["bandit", "pip-audit"]).passed
    assert not judged(policy, tools=["bandit", "pip-audit"], unavailable={"pip-audit": "no answer"}).passed


severity_limits = st.dictionaries(st.sampled_from(["info", "low", "medium", "high", "critical"]), st.integers(0, 3))
summaries = st.none() | st.builds(
    lambda passed, failed, flaky: TestSummary(total=passed + failed, passed=passed, failed=failed, flaky=min(flaky, passed)),
    st.integers(0, 5),
    st.integers(0, 3),
    st.integers(0, 3),
)
baselines = st.lists(
    st.builds(
        acceptance,
        st.sampled_from(["R1:*", "B105:app.py", "CVE-2024-1:*"]),
        st.sampled_from([TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1)]),
    ),
    max_size=3,
)
policies = st.builds(
    GateSpec,
    max_findings=severity_limits,
    min_coverage=st.none() | st.floats(0, 100),
    max_failed_tests=st.none() | st.integers(0, 3),
    max_flaky_tests=st.none() | st.integers(0, 3),
    require=st.lists(st.sampled_from(["bandit", "secrets", "ruff"]), max_size=2),
    baseline=baselines,
)
evidences = st.builds(
    Evidence,
    findings=st.lists(findings, max_size=8),
    tools=st.lists(st.sampled_from(["bandit", "secrets", "pytest"]), max_size=3),
    tests=summaries,
    coverage=st.none() | st.floats(0, 100),
)


@given(policies, evidences, findings)
def test_one_more_finding_never_turns_a_refusal_into_a_pass(policy: GateSpec, seen: Evidence, more: Finding) -> None:
    worse = seen.model_copy(update={"findings": [*seen.findings, more]})
    assert decide(policy, seen, TODAY).passed or not decide(policy, worse, TODAY).passed


@given(policies, evidences, st.sampled_from(["tools", "tests", "coverage"]))
def test_taking_evidence_away_never_turns_a_refusal_into_a_pass(policy: GateSpec, seen: Evidence, what: str) -> None:
    less = seen.model_copy(update={what: [] if what == "tools" else None})
    assert decide(policy, seen, TODAY).passed or not decide(policy, less, TODAY).passed


@given(policies, evidences, st.sampled_from(["bandit", "secrets", "ruff"]))
def test_a_tool_that_could_not_work_never_helps(policy: GateSpec, seen: Evidence, tool: str) -> None:
    less = seen.model_copy(update={"unavailable": {tool: "no answer"}})
    assert decide(policy, seen, TODAY).passed or not decide(policy, less, TODAY).passed


@given(policies, evidences, st.floats(0, 100))
def test_less_coverage_never_helps(policy: GateSpec, seen: Evidence, lower: float) -> None:
    if seen.coverage is None or lower > seen.coverage:
        return
    less = seen.model_copy(update={"coverage": lower})
    assert decide(policy, seen, TODAY).passed or not decide(policy, less, TODAY).passed


@given(policies, evidences, st.integers(0, 1000))
def test_time_never_turns_a_refusal_into_a_pass(policy: GateSpec, seen: Evidence, days: int) -> None:
    later = TODAY + timedelta(days=days)
    assert decide(policy, seen, TODAY).passed or not decide(policy, seen, later).passed


@given(policies, evidences)
def test_a_decision_has_reasons_exactly_when_it_refuses(policy: GateSpec, seen: Evidence) -> None:
    decision = decide(policy, seen, TODAY)
    assert decision.passed is (not decision.reasons)
    assert all(any(line.startswith(reason) for line in decision.evidence) for reason in decision.reasons)
    assert 0 <= decision.accepted <= len(seen.findings)
    assert decide(policy, seen, TODAY) == decision


@given(policies, evidences)
def test_a_pass_satisfies_every_clause(policy: GateSpec, seen: Evidence) -> None:
    decision = decide(policy, seen, TODAY)
    if not decision.passed:
        return
    assert set(policy.require) <= set(seen.tools)
    assert policy.min_coverage is None or (seen.coverage is not None and seen.coverage >= policy.min_coverage)
    assert policy.max_failed_tests is None or (seen.tests is not None and seen.tests.failed <= policy.max_failed_tests)
    assert all(getattr(decision.findings, severity) <= limit for severity, limit in policy.max_findings.items())
