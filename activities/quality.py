"""Gates: the run's evidence is gathered from the records, the decision is pipelines.gates'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Protocol

from activities.base import implements
from pipelines.findings import summarise
from pipelines.gates import Evidence, decide
from pipelines.messages.quality import Finding, GateDecision, GateInput, TestCase
from pipelines.ports import EVALUATE_GATE


class FindingRecords(Protocol):
    """Findings of a run, the tools and checks that have reported, with or without findings, and why others could not."""

    def of_run(self, run_id: str) -> Sequence[Finding]: ...

    def tools_of_run(self, run_id: str) -> Iterable[str]: ...

    def unavailable_of_run(self, run_id: str) -> dict[str, str]: ...


class CaseRecords(Protocol):
    """The newest result of each test case of a run."""

    def of_run(self, run_id: str) -> Sequence[TestCase]: ...


class CoverageRecords(Protocol):
    """Line coverage of a run in percent; None when nothing was measured."""

    def of_run(self, run_id: str) -> float | None: ...


def _today() -> date:
    return datetime.now(UTC).date()


class Gates:
    """Implements EVALUATE_GATE. `today` gives the day (UTC) on which acceptances are judged."""

    def __init__(
        self,
        findings: FindingRecords,
        tests: CaseRecords,
        coverage: CoverageRecords,
        today: Callable[[], date] = _today,
    ) -> None:
        self._findings = findings
        self._tests = tests
        self._coverage = coverage
        self._today = today

    @implements(EVALUATE_GATE)
    def evaluate_gate(self, request: GateInput) -> GateDecision:
        return decide(request.policy, self._evidence(request.run_id), self._today())

    def _evidence(self, run_id: str) -> Evidence:
        cases = self._tests.of_run(run_id)
        findings = self._findings.of_run(run_id)
        return Evidence(
            findings=list(findings),
            tools=sorted({*self._findings.tools_of_run(run_id), *(finding.tool for finding in findings)}),
            unavailable=self._findings.unavailable_of_run(run_id),
            tests=summarise(cases) if cases else None,
            coverage=self._coverage.of_run(run_id),
        )
