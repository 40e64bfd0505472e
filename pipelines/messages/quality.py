"""Findings, gates and test cases."""

from __future__ import annotations

from pydantic import Field

from pipelines.messages.common import ArtifactRef, FindingCounts, Message, TestSummary
from pipelines.spec.gate import GateSpec, Severity


class Finding(Message):
    """One problem in one place; the model that every tool's report is normalised to. `fingerprint` is stable when
    lines move: a hash of tool, rule, path and the offending text."""

    tool: str
    rule: str
    severity: Severity
    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    fingerprint: str
    remedy: str = ""
    cwe: str = ""


class TestCase(Message):
    """`status` is passed, failed, error or skipped; `runs` are the statuses in order when it was run again."""

    __test__ = False

    suite: str
    name: str
    status: str
    seconds: float = 0.0
    message: str = ""
    place: str = Field("", description="file:line")
    runs: list[str] = Field(default_factory=list)


class GateInput(Message):
    run_id: str
    stage: str
    policy: GateSpec


class GateDecision(Message):
    """`evidence`: one line per fact that counted, each naming tool, number and limit."""

    passed: bool
    reasons: list[str] = Field(default_factory=list, description="why not; empty when passed")
    evidence: list[str] = Field(default_factory=list)
    findings: FindingCounts = FindingCounts()
    accepted: int = 0
    coverage: float | None = None
    tests: TestSummary | None = None


class RetentionInput(Message):
    """Keeps the newest `keep_last` per repository and name, all younger than `min_age` seconds, and all that an
    environment runs or could return to."""

    keep_last: int = 10
    min_age: float = 7 * 86400.0
    dry_run: bool = False


class RetentionResult(Message):
    removed: list[ArtifactRef] = Field(default_factory=list, description="at most 200 of them")
    count: int = Field(0, description="artifacts removed in all")
    folders: int = Field(0, description="folders of logs, steps and workspaces removed")
    kept: int = 0
    freed: int = Field(0, description="bytes")
