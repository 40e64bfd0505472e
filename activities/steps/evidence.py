"""Where a check's findings, tests and coverage go, so that gates and people see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from activities.checks.base import CheckReport
from pipelines.messages.build import StepInput
from pipelines.messages.common import Status
from pipelines.messages.quality import Finding, TestCase


class FindingStore(Protocol):
    def store(
        self, run_id: str, stage: str, findings: Sequence[Finding], tools: Iterable[str] = (), source: str = ""
    ) -> None: ...

    def store_unavailable(self, run_id: str, stage: str, tool: str, why: str, source: str = "") -> None: ...


class CaseStore(Protocol):
    def store(self, run_id: str, stage: str, cases: Sequence[TestCase], source: str = "") -> None: ...


class CoverageStore(Protocol):
    def store(self, run_id: str, stage: str, percent: float, source: str = "") -> None: ...


@dataclass(frozen=True)
class Evidence:
    """Storing a report twice is storing it once; the step's index is the source that tells reports of a stage apart."""

    findings: FindingStore
    cases: CaseStore
    coverage: CoverageStore

    def store(self, step: StepInput, report: CheckReport) -> None:
        run_id, stage, source = step.run_id, step.stage, str(step.index)
        if report.status == Status.skipped:
            self.broken(step, report.message)
            return
        if report.findings is not None or report.tools:
            self.findings.store(run_id, stage, report.findings or (), report.tools, source=source)
        if report.tests is not None:
            self.cases.store(run_id, stage, report.tests, source=source)
        if report.coverage is not None:
            self.coverage.store(run_id, stage, report.coverage, source=source)

    def broken(self, step: StepInput, why: str) -> None:
        """The check could not do its work: a report of it from before must not count."""
        self.findings.store_unavailable(step.run_id, step.stage, step.step.uses or "", why, str(step.index))
