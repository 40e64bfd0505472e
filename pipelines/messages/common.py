"""What several messages share."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from pipelines.layout import slug


class Message(BaseModel):
    """Base of everything that crosses a process border. Frozen; unknown keys are ignored, so that an older worker
    can read what a newer one wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Nothing(Message):
    """The result of an activity that has none, so that fields can be added later."""


class RunRequest(Message):
    """One commit to take through one pipeline. `base_sha` is what changed paths are compared with."""

    provider: str = Field("local", description="github, gitlab or local")
    repo: str = Field(description="owner/name")
    clone_url: str
    sha: str = Field(description="full commit id")
    branch: str = Field("", description="branch name; for a pull request the target branch")
    base_sha: str | None = None
    event: str = "manual"
    tag: str | None = None
    actor: str = "unknown"
    title: str = ""
    fork: bool = Field(False, description="from a fork: gets no secrets")
    pipeline: str = "default"
    reuse: bool = Field(True, description="false: run every step anew")
    delivery: str = Field("", description="the provider's delivery id, for the audit trail")
    ref: str = Field("", description="why the commit gets a run of its own: another branch, a tag, a pull request")

    @property
    def workflow_id(self) -> str:
        """Deterministic, so that an event delivered twice is one run; `ref` keeps a pull request's run of a commit,
        which may have no secrets and deploys nothing, from standing for that of the branch it is merged into."""
        plain = f"{self.provider}/{self.repo}/{self.sha}/{self.pipeline}"
        return f"{plain}@{slug(self.ref)}" if self.ref else plain


class Status(StrEnum):
    """Of a run, a stage or a step. `held`: failed, but waiting for retry, skip or abort."""

    pending = "pending"
    waiting = "waiting"
    running = "running"
    passed = "passed"
    reused = "reused"
    failed = "failed"
    held = "held"
    skipped = "skipped"
    cancelled = "cancelled"

    @property
    def ok(self) -> bool:
        return self in (Status.passed, Status.reused, Status.skipped)

    @property
    def final(self) -> bool:
        return self.ok or self in (Status.failed, Status.cancelled)


class ArtifactRef(Message):
    """`digest` is 'sha256:<hex>' of the archive's bytes; size in bytes."""

    name: str
    digest: str
    size: int = 0
    kind: str = Field("archive", description="archive, layer, draft-layer (of a failed stage), cache, log, report, sbom or image")
    version: str = ""


class FindingCounts(Message):
    info: int = 0
    low: int = 0
    medium: int = 0
    high: int = 0
    critical: int = 0


class TestSummary(Message):
    """`seconds` is the suites' own sum. `flaky`: failed at first, passed when run again."""

    __test__ = False

    total: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    flaky: int = 0
    seconds: float = 0.0
    failures: list[str] = Field(default_factory=list, description="at most 20 of 'suite::test: message'")


class Audit(Message):
    """One decision or fact. `key` makes writing it twice one record. `evidence` values are short or references."""

    key: str
    subject: str = Field(description="workflow id, environment/service or release it is about")
    action: str = Field(description="verb.noun, e.g. 'rollout.promoted', 'gate.refused', 'run.started'")
    actor: str
    reason: str = ""
    evidence: dict[str, str] = Field(default_factory=dict)
