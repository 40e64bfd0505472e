"""The gate activity over records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import pytest

from activities.quality import Gates
from pipelines.messages.common import FindingCounts
from pipelines.messages.quality import Finding, GateInput, TestCase
from pipelines.ports import EVALUATE_GATE
from pipelines.spec.gate import Acceptance, GateSpec
from tests.support.evidence import case, finding

RUN = "local/team/app/0123/default"


class Findings:
    def __init__(
        self, found: Sequence[Finding] = (), tools: Iterable[str] = ("bandit", "ruff"), unavailable: dict[str, str] | None = None
    ) -> None:
        self.found, self.tools, self.unavailable = found, tools, unavailable or {}

    def of_run(self, run_id: str) -> Sequence[Finding]:
        return self.found if run_id == RUN else ()

    def tools_of_run(self, run_id: str) -> Iterable[str]:
        return self.tools if run_id == RUN else ()

    def unavailable_of_run(self, run_id: str) -> dict[str, str]:
        return self.unavailable if run_id == RUN else {}


class Cases:
    def __init__(self, *cases: TestCase) -> None:
        self.cases = cases

    def of_run(self, run_id: str) -> Sequence[TestCase]:
        return self.cases if run_id == RUN else ()


class Coverage:
    def __init__(self, percent: float | None) -> None:
        self.percent = percent

    def of_run(self, run_id: str) -> float | None:
        return self.percent if run_id == RUN else None


def gates(
    findings: Findings | None = None, cases: Cases | None = None, coverage: float | None = 85.0, today: date | None = None
) -> Gates:
    return Gates(
        findings or Findings(), cases or Cases(case()), Coverage(coverage), *([lambda: today] if today is not None else [])
    )


def request(policy: GateSpec | None = None, run_id: str = RUN) -> GateInput:
    return GateInput(run_id=run_id, stage="gate", policy=policy or GateSpec())


def test_it_implements_the_port() -> None:
    assert vars(Gates.evaluate_gate)["__switchyard_port__"] is EVALUATE_GATE


def test_good_records_pass() -> None:
    decision = gates().evaluate_gate(request())
    assert decision.passed, decision.reasons
    assert decision.coverage == 85.0
    assert decision.tests is not None
    assert decision.tests.total == 1


def test_findings_coverage_and_tests_all_come_from_the_run() -> None:
    decision = gates(Findings([finding()]), Cases(case(), case("b", "failed")), 10.0).evaluate_gate(request())
    assert not decision.passed
    assert decision.findings == FindingCounts(high=1)
    assert [reason.split(":")[0] for reason in decision.reasons] == ["high findings", "coverage", "failed tests"]


def test_a_run_without_records_is_refused() -> None:
    decision = gates().evaluate_gate(request(run_id="another"))
    assert not decision.passed
    assert decision.tests is None


def test_required_tools_are_those_that_reported() -> None:
    assert gates().evaluate_gate(request(GateSpec(require=["bandit"]))).passed
    assert not gates(Findings(tools={"ruff"})).evaluate_gate(request(GateSpec(require=["bandit"]))).passed


def test_why_a_required_tool_could_not_work_is_in_the_reason() -> None:
    records = Findings(unavailable={"pip-audit": "the service does not answer"})
    decision = gates(records).evaluate_gate(request(GateSpec(require=["pip-audit"])))
    assert decision.reasons == ["pip-audit: required, but its report is missing (the service does not answer)"]


def test_a_tool_with_findings_has_reported() -> None:
    assert (
        gates(Findings([finding(severity="low", tool="zap")], tools=())).evaluate_gate(request(GateSpec(require=["zap"]))).passed
    )


def test_flaky_tests_are_counted_from_their_history() -> None:
    flaky = Cases(case(runs=["failed", "passed"]))
    assert gates(cases=flaky).evaluate_gate(request()).passed
    assert not gates(cases=flaky).evaluate_gate(request(GateSpec(max_flaky_tests=0))).passed


@pytest.mark.parametrize(("day", "passes"), [(date(2030, 1, 1), True), (date(2030, 1, 2), False)])
def test_acceptances_are_judged_on_the_given_day(day: date, passes: bool) -> None:
    entry = Acceptance(fingerprint="R1:*", owner="ana", reason="known", expires=date(2030, 1, 1))
    decision = gates(Findings([finding("R1")]), today=day).evaluate_gate(request(GateSpec(baseline=[entry])))
    assert decision.passed is passes


def test_without_a_given_day_it_is_today() -> None:
    entry = Acceptance(fingerprint="R1:*", owner="ana", reason="known", expires=date(2001, 1, 1))
    assert not gates(Findings([finding("R1")])).evaluate_gate(request(GateSpec(baseline=[entry]))).passed
