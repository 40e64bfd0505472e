"""gofmt and go-vet with the real Go."""

from __future__ import annotations

import pytest

from activities.checks.base import Finished
from activities.checks.registry import CHECKS
from pipelines.errors import StepFailed
from pipelines.messages.common import Status
from tests.support.checks import Bench
from tests.support.components import program

MODULE = "module example.com/app\n\ngo 1.21\n"
GOOD = 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Printf("%s\\n", "x")\n}\n'
ODD = GOOD.replace("%s", "%d")


@pytest.fixture(autouse=True)
def go() -> str:
    return program("go")


@pytest.mark.parametrize("check", ["gofmt", "go-vet"])
def test_good_code_passes(bench: Bench, check: str) -> None:
    report = bench.write({"go.mod": MODULE, "main.go": GOOD}).run(check)
    assert (report.status, report.findings, report.tools) == (Status.passed, (), (check,))


def test_gofmt_names_each_file(bench: Bench) -> None:
    report = bench.write({"go.mod": MODULE, "cmd/main.go": GOOD.replace("\t", "  "), "ok.go": GOOD}).run("gofmt")
    assert report.status is Status.failed
    assert [(found.path, found.severity) for found in report.findings or ()] == [("cmd/main.go", "low")]


def test_gofmt_on_a_syntax_error_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="gofmt did not work"):
        bench.write({"main.go": "package main\nfunc {\n"}).run("gofmt")


def test_go_vet_finds_with_place(bench: Bench) -> None:
    report = bench.write({"go.mod": MODULE, "main.go": ODD}).run("go-vet")
    assert report.status is Status.failed
    (found,) = report.findings or ()
    assert (found.rule, found.path, found.line, found.severity) == ("printf", "main.go", 6, "medium")


def test_go_vet_on_code_that_does_not_compile_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed):
        bench.write({"go.mod": MODULE, "main.go": "package main\n\nfunc main() { undefined() }\n"}).run("go-vet")


@pytest.mark.parametrize("output", ["", "# example.com/app\n", "{", '{"p": {"printf": {"error": "no"}}}'])
def test_a_report_of_another_shape_is_no_pass(bench: Bench, output: str) -> None:
    context = bench.context("go-vet", {})
    (context.scratch / "go-vet.json").write_text(output)
    with pytest.raises(StepFailed):
        CHECKS["go-vet"].next(context, [Finished(0)])


def test_objects_one_after_another_are_all_read(bench: Bench) -> None:
    context = bench.context("go-vet", {})
    one = '{"p": {"printf": [{"posn": "/x/a.go:3:4", "message": "odd"}]}}\n'
    (context.scratch / "go-vet.json").write_text(f"# p\n{one}# q\n{one.replace('odd', 'even')}")
    report = CHECKS["go-vet"].next(context, [Finished(0)])
    assert [found.message for found in report.findings] == ["odd", "even"]  # type: ignore[union-attr]
