"""From real tools through the records to a gate's decision."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from activities.checks.base import CheckReport
from activities.quality import Gates
from activities.records.cases import Cases, Coverage
from activities.records.database import Database
from activities.records.findings import Findings
from activities.records.tables import Base
from pipelines.messages.common import Status
from pipelines.messages.quality import GateDecision, GateInput
from pipelines.spec.gate import Acceptance, GateSpec
from tests.support.checks import Bench

RUN = "local/team/app/0123/default"
APP = "import subprocess\n\n\ndef run(command: str) -> int:\n    return subprocess.call(command, shell=True)\n"
TEST = 'from app import run\n\n\ndef test_run() -> None:\n    assert run("true") == 0\n'
POLICY = GateSpec(require=["bandit", "ruff"])


class Project:
    """A workspace whose checks' reports go into records, as the step runner puts them there."""

    def __init__(self, bench: Bench, database: Database) -> None:
        self.bench = bench
        self.findings, self.cases, self.coverage = Findings(database), Cases(database), Coverage(database)

    def check(self, name: str, **options: object) -> CheckReport:
        report = self.bench.run(name, **options)
        if report.status is Status.skipped:
            self.findings.store_unavailable(RUN, "check", name, report.message)
        else:
            self.findings.store(RUN, "check", report.findings or (), report.tools, source=name)
        if report.tests is not None:
            self.cases.store(RUN, "check", report.tests, source=name)
        if report.coverage is not None:
            self.coverage.store(RUN, "check", report.coverage, source=name)
        return report

    def gate(self, policy: GateSpec = POLICY) -> GateDecision:
        gates = Gates(self.findings, self.cases, self.coverage)
        return gates.evaluate_gate(GateInput(run_id=RUN, stage="gate", policy=policy))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    database = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    Base.metadata.create_all(database.engine)
    yield Project(Bench(tmp_path).write({"app.py": APP, "test_app.py": TEST}), database)
    database.close()


def test_a_run_that_has_done_nothing_is_refused(project: Project) -> None:
    decision = project.gate()
    assert not decision.passed
    assert len(decision.reasons) == 5


def test_a_high_finding_is_refused_until_it_is_accepted(project: Project) -> None:
    project.check("ruff")
    project.check("bandit", fail_on="never")
    project.check("pytest", coverage=True, source=["app"])
    refused = project.gate()
    assert refused.reasons == ["high findings: 1, at most 0"]
    assert (refused.coverage, refused.tests.passed if refused.tests else 0) == (100.0, 1)

    entry = Acceptance(fingerprint="B602:app.py", owner="ana", reason="known", expires=date.today() + timedelta(days=30))
    accepted = project.gate(POLICY.model_copy(update={"baseline": [entry]}))
    assert accepted.passed, accepted.reasons
    assert accepted.accepted == 1


def test_a_repaired_program_passes_when_its_checks_have_run_again(project: Project) -> None:
    project.check("ruff")
    project.check("bandit", fail_on="never")
    project.check("pytest", coverage=True, source=["app"])
    project.bench.write({"app.py": 'def run(command: str) -> int:\n    return 0 if command == "true" else 1\n'})
    assert not project.gate().passed
    project.check("bandit", fail_on="never")
    assert project.gate().passed


def test_a_failed_test_and_low_coverage_are_both_reasons(project: Project) -> None:
    project.bench.write({"app.py": APP + "\n\ndef more() -> int:\n    a = 1\n    b = 2\n    c = 3\n    return a + b + c\n"})
    project.bench.write({"test_app.py": TEST.replace("== 0", "== 1")})
    project.check("pytest", coverage=True, source=["app"])
    reasons = project.gate(GateSpec(max_findings={})).reasons
    assert [reason.split(":")[0] for reason in reasons] == ["coverage", "failed tests"]


def test_an_audit_that_could_not_work_is_only_a_reason_when_required(project: Project) -> None:
    project.check("ruff")
    project.check("pytest", coverage=True, source=["app"])
    report = project.check("pip-audit", offline=True)
    assert report.status is Status.skipped
    assert project.gate(GateSpec()).passed
    decision = project.gate(GateSpec(require=["pip-audit"]))
    assert decision.reasons == ["pip-audit: required, but its report is missing (not available: the settings say offline)"]
