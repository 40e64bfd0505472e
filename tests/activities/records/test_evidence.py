"""Findings, test cases and coverage."""

from activities.records import Records
from pipelines.messages.quality import TestCase
from tests.support.records import case, finding, run


def test_findings_come_back_as_they_were(records: Records) -> None:
    found = [finding(), finding("ruff", "f2", line=3, column=1, remedy="rename it", message="with \0 and ü")]
    records.findings.store("run1", "lint", found)
    assert records.findings.of_run("run1") == found
    assert records.findings.of_run("run2") == records.findings.of_run("run1", "test") == []


def test_a_tool_that_found_nothing_has_reported(records: Records) -> None:
    records.findings.store("run1", "scan", [], tools=["secrets"])
    records.findings.store("run1", "lint", [finding("ruff")])
    assert records.findings.tools_of_run("run1") == ["ruff", "secrets"]
    assert records.findings.tools_of_run("run2") == []


def test_storing_replaces_what_the_same_source_said(records: Records) -> None:
    records.findings.store("run1", "lint", [finding("ruff", "a"), finding("ruff", "b"), finding("mypy", "c")])
    records.findings.store("run1", "lint", [finding("ruff", "d")])
    assert [each.fingerprint for each in records.findings.of_run("run1")] == ["c", "d"]
    records.findings.store("run1", "lint", [], tools=["mypy", "ruff"])
    assert records.findings.of_run("run1") == []
    assert records.findings.tools_of_run("run1") == ["mypy", "ruff"]


def test_two_sources_of_one_stage_and_two_stages_do_not_overwrite_each_other(records: Records) -> None:
    records.findings.store("run1", "lint", [finding("ruff", "a")], source="0")
    records.findings.store("run1", "lint", [finding("ruff", "b")], source="1")
    records.findings.store("run1", "scan", [finding("ruff", "c")])
    records.findings.store("run1", "lint", [], tools=["ruff"], source="2")
    assert {each.fingerprint for each in records.findings.of_run("run1")} == {"a", "b", "c"}


def test_a_tool_that_could_not_work_has_not_reported(records: Records) -> None:
    records.findings.store("run1", "scan", [finding("pip-audit")])
    records.findings.store_unavailable("run1", "scan", "pip-audit", "its service does not answer")
    assert records.findings.of_run("run1") == []
    assert records.findings.tools_of_run("run1") == []
    assert records.findings.unavailable_of_run("run1") == {"pip-audit": "its service does not answer"}
    records.findings.store("run1", "scan", [], tools=["pip-audit"])
    assert records.findings.tools_of_run("run1") == ["pip-audit"]
    assert records.findings.unavailable_of_run("run1") == {}


def test_a_source_that_broke_or_reports_anew_takes_back_all_that_it_said(records: Records) -> None:
    records.findings.store("run1", "scan", [finding("gitleaks")], tools=["secrets"], source="2")
    records.findings.store("run1", "scan", [], tools=["bandit"], source="3")
    records.findings.store_unavailable("run1", "scan", "secrets", "it crashed", source="2")
    assert records.findings.of_run("run1") == []
    assert records.findings.tools_of_run("run1") == ["bandit"]
    records.findings.store("run1", "scan", [], tools=["secrets"], source="2")
    assert records.findings.tools_of_run("run1") == ["bandit", "secrets"]
    assert records.findings.unavailable_of_run("run1") == {}


def test_a_reason_may_be_missing_but_never_counts_as_a_report(records: Records) -> None:
    records.findings.store_unavailable("run1", "scan", "trivy", "")
    assert records.findings.tools_of_run("run1") == []
    assert records.findings.unavailable_of_run("run1") == {"trivy": "not available"}


def test_test_cases_come_back_in_order(records: Records) -> None:
    cases = [case("z"), case("a", "failed", message="x" * 5000, place="t.py:3"), case("a" * 4000), case("m", "skipped")]
    records.tests.store("run1", "test", cases)
    assert records.tests.of_run("run1") == cases
    records.tests.store("run1", "test", cases[:1])
    assert records.tests.of_run("run1") == cases[:1]


def test_cases_of_two_sources_are_both_kept(records: Records) -> None:
    records.tests.store("run1", "test", [case("a", "failed")], source="unit.xml")
    records.tests.store("run1", "test", [case("b")], source="more.xml")
    assert sorted(each.name for each in records.tests.of_run("run1")) == ["a", "b"]


def test_flaky_tests_have_a_history_per_repository(records: Records) -> None:
    flaky = TestCase(suite="unit", name="sometimes", status="passed", runs=["failed", "passed"])
    once = TestCase(suite="unit", name="once", status="passed", runs=["error", "passed"])
    broken = TestCase(suite="unit", name="broken", status="failed", runs=["failed", "failed"])
    for number in range(3):
        records.runs.upsert(run(f"run{number}", repo="o/r"))
        records.tests.store(f"run{number}", "test", [flaky, broken, case("steady")], at=100.0 + number)
    records.tests.store("run1", "test", [flaky, once, broken], at=101.0)
    records.runs.upsert(run("elsewhere", repo="o/other"))
    records.tests.store("elsewhere", "test", [flaky])
    found = records.tests.flaky("o/r")
    assert [(each.name, each.runs, each.first_at, each.last_at) for each in found] == [
        ("sometimes", 3, 100.0, 102.0),
        ("once", 1, 101.0, 101.0),
    ]
    assert records.tests.flaky("o/none") == []
    assert len(records.tests.flaky("o/r", limit=1)) == 1


def test_a_test_that_is_reported_again_as_steady_is_no_longer_flaky_in_that_run(records: Records) -> None:
    records.runs.upsert(run("run1"))
    records.tests.store("run1", "test", [TestCase(suite="s", name="n", status="passed", runs=["failed", "passed"])])
    records.tests.store("run1", "test", [TestCase(suite="s", name="n", status="passed")])
    assert records.tests.flaky("o/r") == []


def test_the_lowest_coverage_counts(records: Records) -> None:
    assert records.coverage.of_run("run1") is None
    records.coverage.store("run1", "unit", 91.0)
    records.coverage.store("run1", "integration", 40.0)
    assert records.coverage.of_run("run1") == 40.0
    records.coverage.store("run1", "integration", 95.0)
    assert records.coverage.of_run("run1") == 91.0
    records.coverage.store("run1", "unit", 0.0, source="other.xml")
    assert records.coverage.of_run("run1") == 0.0
