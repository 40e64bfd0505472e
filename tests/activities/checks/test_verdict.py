"""From findings to the outcome of a step, and the small parts that all checks share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.checks.base import CheckContext, Finished, find_tool, need_tool
from activities.checks.caches import go_caches, python_caches
from activities.checks.globs import files, remove
from activities.checks.trivy import severity_of, target
from activities.checks.venv import engine_module, has_package, python_of, venv_of
from activities.checks.verdict import expect, judge, line_of
from pipelines.builtins import BUILTINS
from pipelines.errors import StepFailed
from pipelines.findings import SEVERITIES, at_least
from pipelines.messages.common import Status
from pipelines.messages.quality import Finding
from tests.support.checks import Bench
from tests.support.evidence import finding, findings


def test_no_findings_pass() -> None:
    report = judge(["a", "b", "a"], [], "info")
    assert (report.status, report.message, report.tools, report.findings, report.lines) == (
        Status.passed,
        "no findings",
        ("a", "b"),
        (),
        (),
    )


def test_the_worst_come_first_and_the_first_bad_one_is_named() -> None:
    report = judge(["t"], [finding("L", "low"), finding("C", "critical", path="z.py"), finding("H", "high")], "high")
    assert [found.rule for found in report.findings or ()] == ["C", "H", "L"]
    assert report.message == "3 findings (1 critical, 1 high, 1 low); first: z.py:3 critical C a problem"


def test_repeats_in_one_report_are_numbered() -> None:
    report = judge(["t"], [finding(line=1, fingerprint="f"), finding(line=2, fingerprint="f")], "never")
    assert [found.fingerprint for found in report.findings or ()] == ["f", "f-2"]


def test_the_log_shows_at_most_200() -> None:
    report = judge(["t"], [finding(line=number) for number in range(1, 301)], "never")
    assert len(report.lines) == 201
    assert report.lines[-1] == "... and 100 more"
    assert len(report.findings or ()) == 300


@given(st.lists(findings, max_size=6), st.sampled_from(SEVERITIES))
def test_a_step_fails_exactly_when_something_is_as_severe(found: list[Finding], floor: str) -> None:
    report = judge(["t"], found, floor)  # type: ignore[arg-type]
    bad = any(at_least(each.severity, floor) for each in found)  # type: ignore[arg-type]
    assert (report.status is Status.failed) is bad
    assert judge(["t"], found, "never").status is Status.passed


def test_a_line_is_one_line_and_not_endless() -> None:
    line = line_of(finding(message="first\nsecond  third", column=7))
    assert line == "app.py:3:7 high R1 first second third"
    assert line_of(finding(path="", line=None, message="x" * 1000)).startswith("high R1 xxx")
    assert len(line_of(finding(message="x" * 1000))) == 400


def test_an_unexpected_status_names_the_tool_and_the_status() -> None:
    expect("tool", Finished(1), {0, 1})
    with pytest.raises(StepFailed, match="tool did not work: it ended with status -9"):
        expect("tool", Finished(-9), {0, 1})


def test_a_tool_on_path_wins_over_the_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "python"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tool("python") == str(tool)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert find_tool("python") == str(Path(sys.executable).parent / "python")


def test_a_tool_that_is_nowhere_says_what_to_do() -> None:
    assert find_tool("no-such-tool-at-all") is None
    with pytest.raises(StepFailed, match="no-such-tool-at-all is not installed on this host") as caught:
        need_tool("no-such-tool-at-all", "Install it")
    assert caught.value.remedy == "Install it"


def test_places_are_named_from_the_workspace(tmp_path: Path) -> None:
    context = CheckContext(tmp_path, tmp_path / "sub", tmp_path, None)
    assert context.place("a.py") == "sub/a.py"
    assert context.place("/etc/hosts") == "/etc/hosts"


def test_globs_find_files_once_sorted_and_not_in_environments(bench: Bench) -> None:
    bench.write({"b.xml": "", "a.xml": "", "sub/c.xml": "", ".venv/d.xml": "", "node_modules/e.xml": "", "dir.xml/f": ""})
    context = bench.context("checkout", {})
    assert [context.place(path) for path in files(context, ["*.xml", "a.*", "**/*.xml"])] == ["a.xml", "b.xml", "sub/c.xml"]
    assert files(context, ["none"]) == []


def test_remove_takes_only_what_matches(bench: Bench) -> None:
    bench.write({"a.xml": "", "b.txt": ""})
    context = bench.context("checkout", {})
    remove(context, ["*.xml"])
    remove(context, ["*.xml"])
    assert [path.name for path in bench.workspace.iterdir()] == ["b.txt"]


def test_remove_never_leaves_the_workspace(bench: Bench) -> None:
    bench.write({"a.xml": ""})
    outside = bench.root / "precious.xml"
    outside.touch()
    (bench.workspace / "link").symlink_to(bench.root)
    context = bench.context("checkout", {})
    remove(context, ["link/*.xml"])
    with pytest.raises(StepFailed):
        remove(context, ["../*.xml"])
    assert outside.exists()


def test_the_nearest_environment_is_taken(bench: Bench) -> None:
    bench.write({".venv/bin/python": "", "sub/.venv/bin/python": "", "other/x": ""})
    assert venv_of(bench.context("checkout", {}, workdir="sub")) == bench.workspace / "sub/.venv"
    assert venv_of(bench.context("checkout", {}, workdir="other")) == bench.workspace / ".venv"


def test_an_environment_without_interpreter_is_none(bench: Bench) -> None:
    bench.write({".venv/pyvenv.cfg": ""})
    assert venv_of(bench.context("checkout", {})) is None


def test_packages_are_looked_up_by_folder(bench: Bench) -> None:
    bench.write({".venv/lib/python3.11/site-packages/pytest/__init__.py": ""})
    venv = bench.workspace / ".venv"
    assert has_package(venv, "pytest")
    assert not has_package(venv, "pytest_cov")
    assert python_of(venv) == venv / "bin/python"


def test_the_engines_tools_ignore_the_folder_they_run_in() -> None:
    assert engine_module("ruff") == (sys.executable, "-P", "-m", "ruff")


def test_caches_lie_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folders = {**python_caches(), **go_caches()}
    assert folders["PIP_CACHE_DIR"] == str(tmp_path / "switchyard" / "pip")
    assert len(set(folders.values())) == 4
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert python_caches()["UV_CACHE_DIR"] == os.fspath(tmp_path / ".cache" / "switchyard" / "uv")


@pytest.mark.parametrize(("word", "severity"), [("CRITICAL", "critical"), ("LOW", "low"), ("UNKNOWN", "high"), ("", "high")])
def test_a_severity_that_trivy_does_not_know_is_high(word: str, severity: str) -> None:
    assert severity_of(word) == severity


def test_trivys_targets_are_named_from_the_scanned_folder(bench: Bench) -> None:
    bench.write({"conf/a.env": ""})
    folder = bench.context("secrets", {"paths": ["conf"]})
    assert target(folder, "a.env") == str(bench.workspace / "conf/a.env")
    file = bench.context("secrets", {"paths": ["conf/a.env"]})
    assert target(file, "a.env") == str(bench.workspace / "conf/a.env")


@pytest.mark.parametrize("name", sorted(set(BUILTINS) - {"checkout", "sarif", "coverage", "hadolint", "pip-audit"}))
def test_every_check_starts_with_a_command(bench: Bench, name: str) -> None:
    from activities.checks.base import Command
    from activities.checks.registry import CHECKS

    bench.write({"app.py": ""})
    options = {"run": "true", "report": "x.xml"} if name == "junit" else {}
    context = bench.context(name, options)
    try:
        command = CHECKS[name].next(context, [])
    except StepFailed as error:
        assert "is not installed on this host" in str(error)
        return
    assert isinstance(command, Command)
    assert CHECKS[name].next(context, []) == command
