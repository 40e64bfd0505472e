"""Findings and test cases for tests, with only what a test cares about spelled out; and hypothesis strategies for them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pipelines.findings import SEVERITIES, fingerprint
from pipelines.messages.quality import Finding, TestCase


def finding(rule: str = "R1", severity: str = "high", **more: Any) -> Finding:
    given: dict[str, Any] = {"tool": "scanner", "message": "a problem", "path": "app.py", "line": 3} | more
    given.setdefault("fingerprint", fingerprint(given["tool"], rule, given["path"], f"{given['line']}"))
    return Finding(rule=rule, severity=severity, **given)


def case(name: str = "test_a", status: str = "passed", **more: Any) -> TestCase:
    return TestCase(**({"suite": "suite", "name": name, "status": status} | more))


findings = st.builds(
    finding,
    rule=st.sampled_from(["B105", "S105", "B602", "R1", "CVE-2024-1"]),
    severity=st.sampled_from(SEVERITIES),
    tool=st.sampled_from(["bandit", "ruff", "scanner"]),
    path=st.sampled_from(["app.py", "lib.py", ""]),
    line=st.sampled_from([None, 1, 2]),
    cwe=st.sampled_from(["", "CWE-78", "CWE-798"]),
)

cases = st.builds(
    case,
    name=st.sampled_from(["test_a", "test_b", "test_c"]),
    status=st.sampled_from(["passed", "failed", "error", "skipped"]),
    seconds=st.floats(0, 1000),
    message=st.text(max_size=40),
    runs=st.lists(st.sampled_from(["passed", "failed", "error"]), max_size=3),
)
