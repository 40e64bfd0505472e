"""Messages for tests of records and retention, with only what matters spelled out."""

from __future__ import annotations

import hashlib
from typing import Any

from pipelines.messages.build import StageResult, StepResult
from pipelines.messages.common import ArtifactRef, Audit, Status
from pipelines.messages.notify import DeploymentRecord, Event, Notification, RunRecord
from pipelines.messages.quality import Finding, TestCase


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def artifact(name: str = "app", content: str = "", kind: str = "archive") -> ArtifactRef:
    return ArtifactRef(name=name, digest=digest(content or name), size=10, kind=kind)


def audit(key: str, **more: Any) -> Audit:
    return Audit(**{"key": key, "subject": "prod/web", "action": "rollout.promoted", "actor": "ann"} | more)


def run(run_id: str = "local/o/r/abc/default", **more: Any) -> RunRecord:
    base = {"run_id": run_id, "execution": "e1", "repo": "o/r", "sha": "abc", "status": Status.running, "started_at": 100.0}
    return RunRecord(**base | more)


def deployment(key: str = "rollout/prod/web/1", **more: Any) -> DeploymentRecord:
    base = {
        "key": key, "environment": "prod", "service": "web", "release_id": "web-1", "digest": digest("web-1"),
        "status": "started", "started_at": 100.0,
    }  # fmt: skip
    return DeploymentRecord(**base | more)


def finding(tool: str = "bandit", fingerprint: str = "f1", **more: Any) -> Finding:
    base = {
        "tool": tool,
        "rule": "B101",
        "severity": "high",
        "message": "assert used",
        "path": "a.py",
        "fingerprint": fingerprint,
    }
    return Finding(**base | more)


def case(name: str, status: str = "passed", **more: Any) -> TestCase:
    return TestCase(suite="unit", name=name, status=status, **more)


def step(key: str = "k1", **more: Any) -> StepResult:
    return StepResult(**{"key": key, "title": "lint", "status": Status.passed, "started_at": 1.0} | more)


def stage(name: str = "lint", **more: Any) -> StageResult:
    return StageResult(**{"stage": name, "status": Status.passed} | more)


def event(id: str, **more: Any) -> Event:
    return Event(**{"id": id, "type": "SystemHealthEvent", "subject": "prod/web", "time": 5.0} | more)


def notification(key: str = "n1", **more: Any) -> Notification:
    return Notification(**{"key": key, "title": "web is out"} | more)
