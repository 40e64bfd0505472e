"""Whatever a tool's report holds, a check ends with a report of its own or a clear error: no crash, and no pass by accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.checks.base import CheckReport, Finished
from activities.checks.registry import CHECKS
from pipelines.errors import StepFailed
from pipelines.messages.common import Status
from tests.support.checks import Bench

REPORTS = {
    "ruff": "ruff.json",
    "ruff-format": "ruff-format.json",
    "mypy": "mypy.jsonl",
    "go-vet": "go-vet.json",
    "bandit": "bandit.sarif",
    "secrets": "trivy.json",
    "trivy-misconfig": "trivy.json",
    "hadolint": "hadolint.sarif",
    "pip-audit": "pip-audit.json",
}
OPTIONS = {"secrets": {"scanner": "trivy"}}
KEYS = (
    ["code", "filename", "location", "row", "message", "severity", "file", "line", "column", "p", "printf", "posn"]
    + ["Results", "Target", "Secrets", "Misconfigurations", "RuleID", "Severity", "StartLine", "CauseMetadata", "Status"]
    + ["dependencies", "name", "version", "vulns", "aliases", "fix_versions", "id", "skip_reason", "version", "runs"]
)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["error", "a.py", "CVE-1"])
)
values = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(KEYS), below, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def read(bench: Bench) -> Callable[[str, bytes, int], CheckReport]:
    """Lets a check read a report that a tool is said to have left, with the tool's exit status."""

    def reader(check: str, report: bytes, code: int) -> CheckReport:
        context = bench.context(check, OPTIONS.get(check, {}))
        Path(context.scratch / REPORTS[check]).write_bytes(report)
        found = CHECKS[check].next(context, [Finished(code)])
        assert isinstance(found, CheckReport)
        return found

    return reader


@pytest.mark.parametrize("check", REPORTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(value=values, code=st.sampled_from([0, 1, 2]))
def test_any_json_is_a_report_or_a_clear_error(
    read: Callable[[str, bytes, int], CheckReport], check: str, value: object, code: int
) -> None:
    try:
        report = read(check, json.dumps(value).encode(), code)
    except StepFailed as error:
        assert error.message
        assert error.remedy
        return
    if report.status is Status.skipped:
        assert report.message.startswith("not available")
        assert not report.tools
    else:
        assert check in report.tools


@pytest.mark.parametrize("check", sorted(set(REPORTS) - {"pip-audit", "mypy"}))
@pytest.mark.parametrize("report", [b"", b"{", b"no such thing", b"\xff\xfe", b'"text"', b"[[]]"])
def test_what_is_no_report_is_no_pass(read: Callable[[str, bytes, int], CheckReport], check: str, report: bytes) -> None:
    with pytest.raises(StepFailed):
        read(check, report, 0)


@pytest.mark.parametrize("check", REPORTS)
@pytest.mark.parametrize("code", [-9, 3, 127])
def test_a_tool_that_was_killed_or_not_found_is_no_pass(
    read: Callable[[str, bytes, int], CheckReport], check: str, code: int
) -> None:
    try:
        assert read(check, b"", code).status is Status.skipped
    except StepFailed as error:
        assert str(code) in str(error)


def test_mypys_words_between_its_json_do_not_matter(read: Callable[[str, bytes, int], CheckReport]) -> None:
    error = json.dumps({"file": "a.py", "line": 1, "column": 2, "message": "m", "code": "c", "severity": "error"})
    note = json.dumps({"file": "a.py", "line": 1, "message": "see", "severity": "note"})
    report = read("mypy", f"Warning: something\n{error}\n{note}\n[1]\n".encode(), 1)
    assert [found.message for found in report.findings or ()] == ["m"]


@pytest.mark.parametrize("output", [b"", b"Traceback\n", b'{"severity": "note"}'])
def test_mypy_that_refuses_without_an_error_is_no_pass(read: Callable[[str, bytes, int], CheckReport], output: bytes) -> None:
    with pytest.raises(StepFailed, match="reported no error"):
        read("mypy", output, 1)


def test_a_report_that_is_missing_is_no_pass(bench: Bench) -> None:
    for check in sorted(set(REPORTS) - {"pip-audit"}):
        with pytest.raises(StepFailed, match="cannot be read"):
            CHECKS[check].next(bench.context(check, OPTIONS.get(check, {})), [Finished(0)])
