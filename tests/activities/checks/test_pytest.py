"""The pytest check on real test suites."""

from __future__ import annotations

import pytest

from pipelines.errors import StepFailed
from pipelines.findings import summarise
from pipelines.messages.common import Status
from tests.support.checks import Bench

GOOD = "def test_one() -> None:\n    assert 1 + 1 == 2\n"
BAD = "def test_two() -> None:\n    total = 3\n    assert total == 2, 'sum is wrong'\n"
FLAKY = """from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["a[1]", "b c"])
def test_flaps(name: str) -> None:
    seen = Path(__file__).with_name(f"seen-{name}")
    first = not seen.exists()
    seen.touch()
    assert not first, "not yet"


def test_steady() -> None:
    with Path(__file__).with_name("steady").open("a") as file:
        file.write("ran ")
"""


def test_passing_tests_pass(bench: Bench) -> None:
    report = bench.write({"tests/test_a.py": GOOD}).run("pytest")
    assert (report.status, report.tools, report.coverage) == (Status.passed, ("pytest",), None)
    (case,) = report.tests or ()
    assert (case.suite, case.name, case.status) == ("tests.test_a", "test_one", "passed")
    assert report.message == "1 tests: 1 passed, 0 failed, 0 skipped"


def test_a_failure_is_shown_with_message_and_place(bench: Bench) -> None:
    report = bench.write({"tests/test_a.py": GOOD, "tests/test_b.py": BAD}).run("pytest")
    assert report.status is Status.failed
    line = "tests.test_b::test_two: AssertionError: sum is wrong (tests/test_b.py:3)"
    assert report.lines == (f"FAILED {line}",)
    assert report.message == f"2 tests: 1 passed, 1 failed, 0 skipped; first: {line}"


def test_places_are_relative_to_the_workspace_from_a_subfolder(bench: Bench) -> None:
    report = bench.write({"service/test_b.py": BAD}).run("pytest", workdir="service")
    assert [case.place for case in report.tests or ()] == ["service/test_b.py:3"]


def test_a_run_without_tests_fails_unless_allowed(bench: Bench) -> None:
    bench.write({"app.py": ""})
    with pytest.raises(StepFailed, match="pytest ran no test") as caught:
        bench.run("pytest")
    assert "allow_empty" in caught.value.remedy
    report = bench.run("pytest", allow_empty=True)
    assert (report.status, report.tests) == (Status.passed, ())


def test_a_file_that_cannot_be_collected_is_an_error(bench: Bench) -> None:
    report = bench.write({"test_a.py": GOOD, "test_b.py": "import no_such_module\n"}).run("pytest", rerun_failed=2)
    assert report.status is Status.failed
    assert summarise(report.tests or ()).failed == 1
    assert len(bench.commands) == 1


def test_a_wrong_argument_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="pytest did not work: it ended with status 4"):
        bench.write({"test_a.py": GOOD}).run("pytest", args=["--no-such-flag"])


def test_a_run_that_dies_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="pytest did not work: it ended with status 7"):
        bench.write({"test_a.py": "import os\n\n\ndef test_die() -> None:\n    os._exit(7)\n"}).run("pytest")


def test_a_run_that_ends_well_too_early_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed, match=r"junit-0\.xml cannot be read"):
        bench.write({"test_a.py": "import os\n\n\ndef test_die() -> None:\n    os._exit(0)\n"}).run("pytest")


def test_a_failure_that_no_test_explains_is_no_pass(bench: Bench) -> None:
    conftest = "def pytest_sessionfinish(session: object) -> None:\n    session.exitstatus = 1\n"
    with pytest.raises(StepFailed, match="status 1 although no test failed"):
        bench.write({"test_a.py": GOOD, "conftest.py": conftest}).run("pytest")


def test_only_failed_tests_run_again_and_one_that_then_passes_is_flaky(bench: Bench) -> None:
    bench.write({"test_f.py": FLAKY})
    report = bench.run("pytest", rerun_failed=2)
    assert report.status is Status.passed
    flaps = [case for case in report.tests or () if case.name.startswith("test_flaps")]
    assert [(case.status, case.runs) for case in flaps] == [("passed", ["failed", "passed"])] * 2
    assert (bench.workspace / "steady").read_text() == "ran "
    assert [ended.exit_code for ended in bench.done] == [1, 0]
    assert report.message == "3 tests: 3 passed, 2 flaky, 0 failed, 0 skipped"
    assert [line.split(":")[0] for line in report.lines] == ["FLAKY test_f"] * 2


def test_without_reruns_a_flaky_test_fails(bench: Bench) -> None:
    assert bench.write({"test_f.py": FLAKY}).run("pytest").status is Status.failed


def test_a_test_that_fails_each_time_fails_and_keeps_its_history(bench: Bench) -> None:
    report = bench.write({"test_a.py": GOOD, "test_b.py": BAD, "test_f.py": FLAKY}).run("pytest", rerun_failed=2)
    assert report.status is Status.failed
    assert {case.name: case.runs for case in report.tests or ()}["test_two"] == ["failed", "failed", "failed"]
    assert len(bench.done) == 3
    summary = summarise(report.tests or ())
    assert (summary.failed, summary.flaky, summary.total) == (1, 2, 5)


def test_reruns_do_not_happen_when_nothing_failed(bench: Bench) -> None:
    bench.write({"test_a.py": GOOD}).run("pytest", rerun_failed=3)
    assert len(bench.done) == 1


def test_a_project_that_turns_the_cache_off_gets_no_reruns_but_no_pass_either(bench: Bench) -> None:
    report = bench.write({"test_f.py": FLAKY}).run("pytest", rerun_failed=2, args=["-p", "no:cacheprovider"])
    assert report.status is Status.failed
    assert len(bench.done) == 1


def test_coverage_is_measured_of_the_first_run(bench: Bench) -> None:
    app = "def f(x: int) -> int:\n    if x:\n        return 1\n    return 2\n"
    test = "from pkg.app import f\n\n\ndef test_f() -> None:\n    assert f(1) == 1\n"
    report = bench.write({"pkg/__init__.py": "", "pkg/app.py": app, "tests/test_f.py": test}).run(
        "pytest", coverage=True, source=["pkg"]
    )
    assert report.coverage == pytest.approx(75.0)
    assert not list(bench.workspace.glob("**/.coverage"))


def test_coverage_stays_when_tests_run_again(bench: Bench) -> None:
    app = "def f() -> int:\n    return 1\n"
    test = f"from app import f\n\n{FLAKY}\n\ndef test_f() -> None:\n    assert f() == 1\n"
    report = bench.write({"app.py": app, "test_f.py": test}).run("pytest", coverage=True, source=["app"], rerun_failed=1)
    assert report.status is Status.passed
    assert report.coverage == 100.0


def test_coverage_that_was_not_measured_does_not_hide_why(bench: Bench) -> None:
    report = bench.write({"test_b.py": "import no_such_module\n"}).run("pytest", coverage=True)
    assert (report.status, report.coverage) == (Status.failed, None)
    assert "no_such_module" in (report.tests or ())[0].message + bench.output


def test_paths_and_arguments_are_passed_on(bench: Bench) -> None:
    report = bench.write({"a/test_a.py": GOOD, "b/test_b.py": BAD}).run("pytest", paths=["a"], args=["-k", "one"])
    assert [case.name for case in report.tests or ()] == ["test_one"]


def test_the_workspace_keeps_clean(bench: Bench) -> None:
    bench.write({"test_a.py": GOOD}).run("pytest")
    assert [path.name for path in bench.workspace.iterdir()] == ["test_a.py"]


def test_an_environment_without_pytest_says_what_to_do(bench: Bench) -> None:
    bench.write({"test_a.py": GOOD}).run("python/install")
    with pytest.raises(StepFailed, match=r"\.venv has no pytest") as caught:
        bench.run("pytest")
    assert "packages" in caught.value.remedy
