"""ruff, ruff-format and mypy on real files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import StepFailed
from pipelines.messages.common import Status
from tests.support.checks import Bench

CLEAN = 'def greet(name: str) -> str:\n    return f"hello {name}"\n'
UNUSED = "import os\n\n\ndef f() -> int:\n    return 1\n"
UNTYPED = 'def f() -> int:\n    return "one"\n'


@pytest.mark.parametrize("check", ["ruff", "ruff-format", "mypy"])
def test_clean_files_pass(bench: Bench, check: str) -> None:
    report = bench.write({"app.py": CLEAN}).run(check)
    assert (report.status, report.message, report.findings, report.tools) == (Status.passed, "no findings", (), (check,))


def test_ruff_finds_with_place_rule_and_remedy(bench: Bench) -> None:
    report = bench.write({"pkg/app.py": UNUSED}).run("ruff")
    assert report.status is Status.failed
    (found,) = report.findings or ()
    assert (found.tool, found.rule, found.severity, found.path, found.line, found.column) == (
        "ruff",
        "F401",
        "low",
        "pkg/app.py",
        1,
        8,
    )
    assert "docs.astral.sh" in found.remedy
    assert report.message.startswith("1 findings (1 low); first: pkg/app.py:1:8 low F401")
    assert report.lines == (report.message.partition("first: ")[2],)


def test_a_syntax_error_is_high(bench: Bench) -> None:
    report = bench.write({"app.py": "def f(:\n"}).run("ruff")
    assert {found.severity for found in report.findings or ()} == {"high"}


def test_the_bandit_rules_of_ruff_are_medium(bench: Bench) -> None:
    report = bench.write({"app.py": "def f(text: str) -> object:\n    return eval(text)\n"}).run("ruff", args=["--select", "S"])
    assert [(found.rule, found.severity) for found in report.findings or ()] == [("S307", "medium")]


@pytest.mark.parametrize(("fail_on", "status"), [("info", Status.failed), ("medium", Status.passed), ("never", Status.passed)])
def test_fail_on_decides_about_the_step_but_findings_stay(bench: Bench, fail_on: str, status: Status) -> None:
    report = bench.write({"app.py": UNUSED}).run("ruff", fail_on=fail_on)
    assert report.status is status
    assert len(report.findings or ()) == 1


def test_a_fingerprint_survives_lines_put_above(bench: Bench) -> None:
    before = bench.write({"app.py": UNUSED}).run("ruff").findings or ()
    after = bench.write({"app.py": f'"""Title."""\n\n{UNUSED}'}).run("ruff").findings or ()
    assert before[0].line != after[0].line
    assert before[0].fingerprint == after[0].fingerprint


def test_paths_are_relative_to_the_workspace_also_from_a_subfolder(bench: Bench) -> None:
    bench.write({"service/app.py": UNUSED, "other.py": UNUSED})
    report = bench.run("ruff", workdir="service")
    assert [found.path for found in report.findings or ()] == ["service/app.py"]


def test_only_the_given_paths_are_linted(bench: Bench) -> None:
    report = bench.write({"a.py": UNUSED, "b.py": UNUSED}).run("ruff", paths=["b.py"])
    assert [found.path for found in report.findings or ()] == ["b.py"]


def test_the_projects_own_configuration_is_followed(bench: Bench) -> None:
    bench.write({"a.py": UNUSED, "pyproject.toml": '[tool.ruff.lint]\nignore = ["F401"]\n'})
    assert bench.run("ruff").status is Status.passed


def test_a_wrong_argument_is_a_failure_not_a_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="ruff did not work: it ended with status 2"):
        bench.write({"a.py": CLEAN}).run("ruff", args=["--no-such-flag"])


def test_a_module_of_the_workspace_does_not_replace_the_tools(bench: Bench) -> None:
    bench.write({"app.py": CLEAN, "ruff.py": "raise SystemExit(0)\n", "json.py": "raise SystemExit(0)\n"})
    assert bench.run("ruff", paths=["app.py"]).status is Status.passed
    assert bench.run("mypy", paths=["app.py"]).status is Status.passed


def test_nothing_is_left_in_the_workspace(bench: Bench) -> None:
    bench.write({"app.py": CLEAN})
    for check in ("ruff", "ruff-format", "mypy"):
        bench.run(check)
    assert [path.name for path in bench.workspace.iterdir()] == ["app.py"]


def test_ruff_format_names_each_file(bench: Bench) -> None:
    report = bench.write({"a.py": "x=1\n", "b.py": "y  = 2\n", "c.py": "z = 3\n"}).run("ruff-format")
    assert report.status is Status.failed
    assert sorted((found.path, found.rule) for found in report.findings or ()) == [
        ("a.py", "unformatted"),
        ("b.py", "unformatted"),
    ]
    assert {found.tool for found in report.findings or ()} == {"ruff-format"}


def test_ruff_format_on_a_syntax_error_fails(bench: Bench) -> None:
    report = bench.write({"a.py": "def f(:\n"}).run("ruff-format")
    assert report.status is Status.failed
    assert (report.findings or ())[0].severity == "high"


def test_ruff_format_called_wrongly_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed):
        bench.write({"a.py": CLEAN}).run("ruff-format", args=["--no-such-flag"])


def test_mypy_finds_with_place_and_code(bench: Bench) -> None:
    report = bench.write({"app.py": UNTYPED}).run("mypy")
    assert report.status is Status.failed
    (found,) = report.findings or ()
    assert (found.rule, found.severity, found.path, found.line) == ("return-value", "medium", "app.py", 2)
    assert "Incompatible return value" in found.message


def test_mypy_on_a_syntax_error_is_high(bench: Bench) -> None:
    report = bench.write({"app.py": "def f(:\n"}).run("mypy")
    assert report.status is Status.failed
    assert {(found.rule, found.severity) for found in report.findings or ()} == {("syntax", "high")}


def test_mypy_with_nothing_to_check_is_no_pass(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="mypy ended with status 2"):
        bench.run("mypy")


def test_mypy_uses_the_workspaces_packages(bench: Bench) -> None:
    """An environment without mypy: the engine's mypy looks its packages up there."""
    bench.write({"app.py": "import vendored\n\nx: int = vendored.value\n"})
    bench.run("python/install")
    (site,) = bench.workspace.glob(".venv/lib/python*/site-packages")
    package = site / "vendored"
    package.mkdir()
    (package / "py.typed").touch()
    (package / "__init__.py").write_text('value: str = "x"\n')
    report = bench.run("mypy", paths=["app.py"])
    assert [found.rule for found in report.findings or ()] == ["assignment"]
    assert "--python-executable" in bench.commands[0].argv


def test_a_report_that_is_cut_short_is_no_pass(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write({"app.py": CLEAN})
    original = Bench._execute

    def cut(self: Bench, command: object, context: object) -> object:
        ended = original(self, command, context)  # type: ignore[arg-type]
        Path(self.root / "scratch" / "ruff.json").write_text('[{"code": "F4')
        return ended

    monkeypatch.setattr(Bench, "_execute", cut)
    with pytest.raises(StepFailed, match=r"ruff\.json is not JSON"):
        bench.run("ruff")
