"""bandit, secrets, trivy-misconfig, hadolint and pip-audit with the real tools, offline."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from activities.checks.base import Finished
from activities.checks.registry import CHECKS
from pipelines.errors import StepFailed
from pipelines.messages.common import Status
from tests.support.checks import Bench
from tests.support.components import program

SHELL = "import subprocess\n\n\ndef f(command: str) -> None:\n    subprocess.call(command, shell=True)\n"
TOKEN = "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz"
DOCKERFILE = "FROM ubuntu:latest\nRUN apt-get install curl\n"
GOOD_DOCKERFILE = 'FROM debian:12.5-slim\nUSER 1000:1000\nHEALTHCHECK CMD ["true"]\nCOPY app /app\n'


def test_bandit_reads_severity_cwe_and_place(bench: Bench) -> None:
    report = bench.write({"src/app.py": SHELL}).run("bandit")
    assert report.status is Status.failed
    worst = (report.findings or ())[0]
    assert (worst.tool, worst.rule, worst.severity, worst.path, worst.line, worst.cwe) == (
        "bandit",
        "B602",
        "high",
        "src/app.py",
        5,
        "CWE-78",
    )
    assert "5 B602" not in report.message
    assert "1 high" in report.message


def test_bandit_passes_below_the_limit_and_leaves_the_rest_to_a_gate(bench: Bench) -> None:
    report = bench.write({"app.py": "import subprocess\n"}).run("bandit")
    assert report.status is Status.passed
    assert [found.severity for found in report.findings or ()] == ["low"]
    assert report.tools == ("bandit",)


def test_bandit_looks_into_no_environment_nor_excluded_folder(bench: Bench) -> None:
    bench.write({".venv/lib/x.py": SHELL, "vendor/y.py": SHELL, "node_modules/z.py": SHELL, "app.py": "x = 1\n"})
    assert bench.run("bandit", exclude=["vendor"]).findings == ()


def test_bandit_follows_the_projects_configuration(bench: Bench) -> None:
    bench.write({"app.py": SHELL, "pyproject.toml": '[tool.bandit]\nskips = ["B602", "B404"]\n'})
    assert bench.run("bandit").findings == ()


def test_bandit_honours_nosec(bench: Bench) -> None:
    report = bench.write({"app.py": SHELL.replace("True)", "True)  # nosec B602")}).run("bandit")
    assert "B602" not in {found.rule for found in report.findings or ()}


def test_a_file_that_bandit_cannot_parse_is_a_finding(bench: Bench) -> None:
    report = bench.write({"app.py": "def f(:\n"}).run("bandit", fail_on="medium")
    assert [(found.rule, found.path) for found in report.findings or ()] == [("not-analysed", "app.py")]
    assert report.status is Status.failed


def test_bandit_does_not_repeat_a_password(bench: Bench) -> None:
    report = bench.write({"app.py": 'password = "tr0ub4dor"\n'}).run("bandit")
    assert [found.rule for found in report.findings or ()] == ["B105"]
    assert "tr0ub4dor" not in repr(report)


@pytest.mark.parametrize("workdir", [".", "service"])
def test_trivy_finds_a_secret_and_keeps_it_to_itself(bench: Bench, workdir: str) -> None:
    program("trivy")
    bench.write({"service/config.env": f"GITHUB_TOKEN={TOKEN}\n"})
    report = bench.run("secrets", workdir=workdir, scanner="trivy")
    assert report.status is Status.failed
    (found,) = report.findings or ()
    assert (found.rule, found.severity, found.path, found.line, found.cwe) == (
        "github-pat",
        "critical",
        "service/config.env",
        1,
        "CWE-798",
    )
    assert TOKEN not in repr(report) + bench.output
    assert report.tools == ("secrets", "trivy")


def test_trivy_scans_a_single_file(bench: Bench) -> None:
    program("trivy")
    report = bench.write({"a/config.env": f"T={TOKEN}\n", "b.env": f"T={TOKEN}\n"}).run(
        "secrets", scanner="trivy", paths=["a/config.env"]
    )
    assert [found.path for found in report.findings or ()] == ["a/config.env"]


def test_trivy_leaves_excluded_folders_out(bench: Bench) -> None:
    program("trivy")
    bench.write({".venv/x.env": f"T={TOKEN}\n", "deep/fixtures/x.env": f"T={TOKEN}\n", "app.py": "x = 1\n"})
    report = bench.run("secrets", scanner="trivy", exclude=["fixtures"])
    assert (report.status, report.findings) == (Status.passed, ())


def test_a_path_that_does_not_exist_is_no_pass(bench: Bench) -> None:
    program("trivy")
    with pytest.raises(StepFailed, match="trivy did not work"):
        bench.run("secrets", scanner="trivy", paths=["absent"])


GITLEAKS = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "gitleaks", "rules": [{"id": "github-pat"}]}},
            "results": [
                {
                    "ruleId": "github-pat",
                    "message": {"text": "github-pat has detected secret for file a.env."},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": name},
                                "region": {"startLine": 1, "snippet": {"text": "REDACTED"}},
                            }
                        }
                    ],
                }
                for name in ("a.env", ".venv/b.env")
            ],
        }
    ],
}


@pytest.fixture
def gitleaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name that writes what gitleaks 8 writes, since the real one may not be on this machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "report").write_text(json.dumps(GITLEAKS))
    tool = folder / "gitleaks"
    tool.write_text(f'#!/bin/sh\nwhile [ "$1" != --report-path ]; do shift; done\ncp "{folder}/report" "$2"\n')
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return tool


def test_gitleaks_on_path_wins_and_its_findings_are_critical(bench: Bench, gitleaks: Path) -> None:
    report = bench.run("secrets")
    assert bench.commands[0].argv[:2] == (str(gitleaks), "dir")
    assert "--redact" in bench.commands[0].argv
    assert [(found.rule, found.severity, found.path, found.cwe) for found in report.findings or ()] == [
        ("github-pat", "critical", "a.env", "CWE-798")
    ]
    assert report.tools == ("secrets", "gitleaks")


def test_gitleaks_that_breaks_is_no_pass(bench: Bench, gitleaks: Path) -> None:
    gitleaks.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(StepFailed, match="gitleaks did not work"):
        bench.run("secrets")


def test_a_scanner_that_is_asked_for_but_not_there_says_what_to_do(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bench.root))
    with pytest.raises(StepFailed, match="gitleaks is not installed") as caught:
        bench.run("secrets", scanner="gitleaks")
    assert "scanner: trivy" in caught.value.remedy


def test_trivy_finds_misconfigurations_offline(bench: Bench) -> None:
    program("trivy")
    report = bench.write({"deploy/Dockerfile": DOCKERFILE}).run("trivy-misconfig")
    assert report.status is Status.failed
    found = {each.rule: each for each in report.findings or ()}
    assert found["DS-0002"].severity == "high"
    assert (found["DS-0001"].path, found["DS-0001"].line) == ("deploy/Dockerfile", 1)
    assert "USER" in found["DS-0002"].remedy


def test_a_careful_dockerfile_passes_both(bench: Bench) -> None:
    program("trivy")
    program("hadolint")
    bench.write({"Dockerfile": GOOD_DOCKERFILE})
    assert bench.run("trivy-misconfig").findings == ()
    assert bench.run("hadolint").findings == ()


def test_hadolint_finds_in_all_dockerfiles(bench: Bench) -> None:
    program("hadolint")
    bench.write(
        {"Dockerfile": DOCKERFILE, "web/Dockerfile.dev": DOCKERFILE, ".venv/Dockerfile": DOCKERFILE, "api.Dockerfile": DOCKERFILE}
    )
    report = bench.run("hadolint", fail_on="medium")
    assert report.status is Status.failed
    assert {found.path for found in report.findings or ()} == {"Dockerfile", "web/Dockerfile.dev", "api.Dockerfile"}
    assert ("DL3007", "medium", 1) in {(found.rule, found.severity, found.line) for found in report.findings or ()}


def test_hadolint_without_dockerfiles_has_nothing_to_say(bench: Bench) -> None:
    report = bench.run("hadolint")
    assert (report.status, report.findings, bench.commands) == (Status.passed, (), [])


def test_a_glob_that_leaves_the_workspace_is_refused(bench: Bench) -> None:
    for pattern in ("../*", "/etc/*", "a/../../b", ""):
        with pytest.raises(StepFailed, match="not a path below"):
            bench.run("hadolint", files=[pattern])


def test_a_link_out_of_the_workspace_is_not_followed(bench: Bench) -> None:
    bench.write({"app.py": ""})
    (bench.root / "Dockerfile").write_text(DOCKERFILE)
    (bench.workspace / "Dockerfile").symlink_to(bench.root / "Dockerfile")
    assert bench.run("hadolint").findings == ()


def test_pip_audit_offline_is_skipped_with_its_reason_and_reports_no_tool(bench: Bench) -> None:
    report = bench.run("pip-audit", offline=True)
    assert report.status is Status.skipped
    assert report.message == "not available: the settings say offline"
    assert (report.tools, report.findings, bench.commands) == ((), None, [])


def audited(bench: Bench, answer: Any, exit_code: int = 0) -> Any:
    """The check's reading of pip-audit's JSON, without asking its service."""
    context = bench.context("pip-audit", {})
    if answer is not None:
        (context.scratch / "pip-audit.json").write_text(json.dumps(answer))
    return CHECKS["pip-audit"].next(context, [Finished(exit_code)])


def test_a_vulnerability_is_high_and_named_by_its_cve(bench: Bench) -> None:
    vulnerable = {
        "name": "jinja2",
        "version": "2.4.1",
        "vulns": [{"id": "PYSEC-2021-66", "fix_versions": ["2.11.3"], "aliases": ["CVE-2020-28493"], "description": "ReDoS"}],
    }
    report = audited(bench, {"dependencies": [vulnerable, {"name": "ok", "version": "1", "vulns": []}]}, 1)
    assert report.status is Status.failed
    (found,) = report.findings
    assert (found.rule, found.severity, found.path, found.remedy) == (
        "CVE-2020-28493",
        "high",
        "jinja2",
        "Upgrade jinja2 to 2.11.3",
    )
    assert found.message == "jinja2 2.4.1: ReDoS"


def test_clean_packages_pass_and_count_as_reported(bench: Bench) -> None:
    report = audited(bench, {"dependencies": [{"name": "ok", "version": "1", "vulns": []}]})
    assert (report.status, report.tools, report.findings) == (Status.passed, ("pip-audit",), ())


def test_a_service_that_knows_no_package_is_not_available(bench: Bench) -> None:
    """Seen with an index mirror: pip-audit ends with status 0 and 'No known vulnerabilities found'."""
    answer = {"dependencies": [{"name": "requests", "skip_reason": "Dependency not found on PyPI"}], "fixes": []}
    report = audited(bench, answer)
    assert report.status is Status.skipped
    assert "none of the 1 packages could be looked up" in report.message
    assert report.tools == ()


def test_a_private_package_among_known_ones_is_a_low_finding(bench: Bench) -> None:
    answer = {"dependencies": [{"name": "own", "skip_reason": "not found"}, {"name": "ok", "version": "1", "vulns": []}]}
    report = audited(bench, answer)
    assert report.status is Status.passed
    assert [(found.rule, found.severity, found.path) for found in report.findings] == [("not-audited", "low", "own")]


@pytest.mark.parametrize("answer", [None, [], "x", {"dependencies": "x"}, {"dependencies": [1]}])
def test_no_usable_answer_is_not_available(bench: Bench, answer: Any) -> None:
    report = audited(bench, answer, 1)
    assert report.status is Status.skipped
    assert report.tools == ()


def test_pip_audit_without_anything_to_audit_says_what_to_do(bench: Bench) -> None:
    with pytest.raises(StepFailed, match=r"no \.venv to audit") as caught:
        bench.run("pip-audit")
    assert "python/install" in caught.value.remedy


def test_pip_audit_with_requirements_that_are_not_there(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="no requirements file matches"):
        bench.run("pip-audit", requirements=["req/*.txt"])


def test_pip_audit_is_called_for_what_is_installed(bench: Bench) -> None:
    bench.run("python/install")
    command = CHECKS["pip-audit"].next(bench.context("pip-audit", {"ignore": ["GHSA-1"]}), [])
    argv = command.argv  # type: ignore[union-attr]
    assert str(next(bench.workspace.glob(".venv/lib/python*/site-packages"))) == argv[argv.index("--path") + 1]
    assert argv[-1] == "--ignore-vuln=GHSA-1"
