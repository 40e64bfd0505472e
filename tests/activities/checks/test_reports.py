"""junit, coverage and sarif: checks that read what any command wrote."""

from __future__ import annotations

import pytest

from activities.reports.sarif import to_sarif
from pipelines.errors import StepFailed
from pipelines.messages.common import Status
from tests.support.checks import Bench
from tests.support.evidence import finding

PASSED = '<testsuite name="s"><testcase name="a" classname="s"/></testsuite>'
FAILED = '<testsuite name="s"><testcase name="a" classname="s"><failure message="no"/></testcase></testsuite>'


def echo(text: str, file: str) -> str:
    return f"mkdir -p $(dirname {file}) && cat > {file} <<'END'\n{text}\nEND\n"


def test_junit_runs_the_command_and_reads_all_reports(bench: Bench) -> None:
    report = bench.run("junit", run=echo(PASSED, "out/a.xml") + echo(PASSED, "out/b.xml"), report="out/*.xml")
    assert (report.status, report.tools) == (Status.passed, ("junit",))
    assert len(report.tests or ()) == 2


def test_junit_failures_fail_whatever_the_command_says(bench: Bench) -> None:
    report = bench.run("junit", run=echo(FAILED, "out.xml"), report="out.xml")
    assert (report.status, report.lines) == (Status.failed, ("FAILED s::a: no",))


def test_a_command_that_fails_without_a_failed_test_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="status 3 although no test failed"):
        bench.run("junit", run=echo(PASSED, "out.xml") + "exit 3", report="out.xml")


def test_a_command_that_fails_without_any_test_is_no_pass_even_if_empty_is_allowed(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="status 3"):
        bench.run("junit", run=echo("<testsuites/>", "out.xml") + "exit 3", report="out.xml", allow_empty=True)


def test_an_empty_report_fails_unless_allowed(bench: Bench) -> None:
    options = {"run": echo("<testsuites/>", "out.xml"), "report": "out.xml"}
    with pytest.raises(StepFailed, match="ran no test"):
        bench.run("junit", **options)
    assert bench.run("junit", **options, allow_empty=True).status is Status.passed


def test_no_report_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed, match=r"no JUnit report matches 'out/\*\.xml' after the command ended with status 0"):
        bench.run("junit", run="true", report="out/*.xml", allow_empty=True)


def test_a_report_from_before_is_not_taken_for_this_runs(bench: Bench) -> None:
    bench.write({"out.xml": PASSED})
    with pytest.raises(StepFailed, match="no JUnit report"):
        bench.run("junit", run="true", report="out.xml")


def test_a_broken_report_names_its_file(bench: Bench) -> None:
    with pytest.raises(StepFailed, match=r"out\.xml is not usable XML"):
        bench.run("junit", run=echo("<testsuite>", "out.xml"), report="out.xml")


FLAPS = f"test -f seen && {{ {echo(PASSED, 'out.xml')}exit 0\n}}\ntouch seen\n{echo(FAILED, 'out.xml')}exit 1"


def test_a_command_runs_again_and_a_test_that_then_passes_is_flaky(bench: Bench) -> None:
    report = bench.run("junit", run=FLAPS, report="out.xml", rerun_failed=3)
    assert report.status is Status.passed
    assert [case.runs for case in report.tests or ()] == [["failed", "passed"]]
    assert [ended.exit_code for ended in bench.done] == [1, 0]


def test_another_shell_can_be_asked_for(bench: Bench) -> None:
    bench.run("junit", run=echo(PASSED, "out.xml"), report="out.xml", shell="sh")
    assert bench.commands[0].argv[:2] == ("sh", "-c")


def test_coverage_reads_what_is_there(bench: Bench) -> None:
    report = bench.write({"coverage.xml": '<coverage line-rate="0.9"/>'}).run("coverage")
    assert (report.status, report.coverage, report.message, report.tools) == (
        Status.passed,
        pytest.approx(90.0),
        "90.0 % of lines",
        ("coverage",),
    )


def test_coverage_under_the_minimum_fails_with_both_numbers(bench: Bench) -> None:
    bench.write({"coverage.xml": '<coverage lines-valid="1000" lines-covered="799"/>'})
    report = bench.run("coverage", minimum=80)
    assert (report.status, report.message) == (Status.failed, "79.90 % of lines, at least 80 % is required")
    assert report.coverage == pytest.approx(79.9)


def test_coverage_can_run_a_command_first(bench: Bench) -> None:
    bench.write({"cov.xml": '<coverage line-rate="1"/>'})
    report = bench.run("coverage", run=echo('<coverage line-rate="0.5"/>', "cov.xml"), report="cov.xml")
    assert report.coverage == 50.0


@pytest.mark.parametrize("run", ["", "true"])
def test_missing_coverage_is_no_pass(bench: Bench, run: str) -> None:
    with pytest.raises(StepFailed, match="no coverage report matches"):
        bench.run("coverage", run=run)


def test_a_failing_coverage_command_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="status 4"):
        bench.run("coverage", run=echo('<coverage line-rate="1"/>', "coverage.xml") + "exit 4")


def test_sarif_of_any_tool(bench: Bench) -> None:
    found = [finding("X1", "high", tool="zap"), finding("X2", "low", tool="zap")]
    report = bench.write({"out.sarif": to_sarif(found)}).run("sarif", report="out.sarif")
    assert (report.status, report.tools) == (Status.failed, ("zap",))
    assert {each.rule for each in report.findings or ()} == {"X1", "X2"}


def test_sarif_under_a_name_of_ones_own(bench: Bench) -> None:
    empty = '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Some Tool"}}, "results": []}]}'
    report = bench.write({"out.sarif": empty}).run("sarif", report="*.sarif", tool="dast")
    assert (report.status, report.tools, report.findings) == (Status.passed, ("dast",), ())


def test_sarif_without_findings_still_counts_as_reported(bench: Bench) -> None:
    empty = '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Some Tool"}}, "results": []}]}'
    assert bench.write({"out.sarif": empty}).run("sarif", report="*.sarif").tools == ("some tool",)


def test_sarif_of_a_command_that_may_end_with_1(bench: Bench) -> None:
    text = to_sarif([finding("X1", "low", tool="zap")])
    report = bench.run("sarif", run=echo(text, "out.sarif") + "exit 1", report="out.sarif")
    assert report.status is Status.passed
    with pytest.raises(StepFailed, match="status 2"):
        bench.run("sarif", run=echo(text, "out.sarif") + "exit 2", report="out.sarif")


def test_no_sarif_is_no_pass(bench: Bench) -> None:
    bench.write({"old.sarif": to_sarif([])})
    with pytest.raises(StepFailed, match="no SARIF file matches"):
        bench.run("sarif", run="true", report="old.sarif")
