"""Gates: decisions that a run cannot pass without."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from pipelines.spec.base import Duration, SpecModel

Severity = Literal["info", "low", "medium", "high", "critical"]


_NO_SEVERE: dict[Severity, int] = {"critical": 0, "high": 0}


class Acceptance(SpecModel):
    """A finding that somebody accepts until a day: a baseline entry. An expired one no longer counts."""

    fingerprint: str = Field(description="the finding's fingerprint, or 'rule:path' or 'rule:*'")
    owner: str
    reason: str
    expires: date


class GateSpec(SpecModel):
    """Policy of a quality, security or compliance gate over all evidence that the run has gathered so far."""

    max_findings: dict[Severity, int] = Field(
        default_factory=lambda: _NO_SEVERE.copy(), description="most findings allowed, by severity"
    )
    min_coverage: float | None = Field(80.0, ge=0, le=100, description="line coverage in percent; null: not required")
    max_failed_tests: int | None = Field(0, ge=0, description="null: no limit, and tests need not be reported")
    max_flaky_tests: int | None = Field(None, ge=0)
    require: list[str] = Field(default_factory=list, description="tools whose report must be there, e.g. [bandit, secrets]")
    baseline: list[Acceptance] = Field(default_factory=list)


class ApprovalSpec(SpecModel):
    """People must say yes. `approvers` empty: anyone with a token may, except the author when `not_author`."""

    approvers: list[str] = Field(default_factory=list)
    count: int = Field(1, ge=1)
    not_author: bool = False
    timeout: Duration = 86400.0
    on_timeout: Literal["reject", "approve"] = "reject"
