"""What people ask of workflows (updates) and what workflows show of themselves (queries)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.messages.common import ArtifactRef, FindingCounts, Message, RunRequest, Status, TestSummary
from pipelines.messages.deploy import Release, RolloutStatus, Verdict


class Who(Message):
    """Every update says who asks and why; both end in the audit trail."""

    actor: str = "unknown"
    reason: str = ""


class Approve(Who):
    """`stage` names a waiting approval of a run; a rollout ignores it. `approved` False is a rejection."""

    stage: str = ""
    approved: bool = True


class Retry(Who):
    """Of a held run. `stage` '': everything that failed. `step`: index to go on from; None: where it failed."""

    stage: str = ""
    step: int | None = None


class Skip(Who):
    """Of a held run: the failed stage counts as passed."""

    stage: str


class Abort(Who):
    pass


class Pause(Who):
    pass


class Resume(Who):
    pass


class Promote(Who):
    """`full`: skip all that is left of pauses and analyses and give the candidate all traffic."""

    full: bool = False


class Answer(Message):
    """What an update did, for people."""

    message: str


class StepView(Message):
    index: int
    title: str
    status: Status
    seconds: float | None = None
    exit_code: int | None = None
    reused: bool = False
    attempt: int = 1
    message: str = ""
    log: str = ""
    findings: FindingCounts | None = None
    tests: TestSummary | None = None


class StageView(Message):
    """`waiting_for` says in words what a waiting stage waits for."""

    name: str
    status: Status
    needs: list[str] = Field(default_factory=list)
    steps: list[StepView] = Field(default_factory=list)
    started_at: float | None = None
    finished_at: float | None = None
    reason: str = ""
    waiting_for: str = ""
    approvals: list[str] = Field(default_factory=list, description="who has approved so far")
    environment: str = ""
    rollout_id: str = Field("", description="workflow id of the stage's rollout")
    artifacts: list[ArtifactRef] = Field(default_factory=list)
    coverage: float | None = None
    findings: FindingCounts | None = None
    tests: TestSummary | None = None


class RunView(Message):
    """Answer of the query `view` of a PipelineWorkflow."""

    run: RunRequest
    run_id: str
    execution: str = ""
    status: Status
    reason: str = ""
    service: str = ""
    version: str = ""
    pipeline_file: str = ""
    started_at: float = 0.0
    finished_at: float | None = None
    stages: list[StageView] = Field(default_factory=list)
    held_until: float | None = None


class RunResult(Message):
    run_id: str
    status: Status
    reason: str = ""
    stages: dict[str, Status] = Field(default_factory=dict)


class WeightPoint(Message):
    at: float
    weight: int = Field(description="percent to the candidate")
    note: str = ""


class VerdictPoint(Message):
    at: float
    verdict: Verdict


class RolloutView(Message):
    """Answer of the query `view` of a RolloutWorkflow. `intent` is advance, promote or rollback."""

    workflow_id: str
    request_id: str = ""
    run_id: str = ""
    strategy: str
    kind: Literal["rollout", "rollback"] = "rollout"
    candidate: Release
    stable_id: str = ""
    status: Literal["progressing", "paused", "rolling-back", "done"]
    intent: str
    result: RolloutStatus | None = None
    reason: str = ""
    waiting_for: str = ""
    weight: int = 0
    move: str = Field("", description="what it is doing, in words")
    plan: list[str] = Field(default_factory=list, description="moves still to come, in words")
    weights: list[WeightPoint] = Field(default_factory=list)
    verdicts: list[VerdictPoint] = Field(default_factory=list, description="the newest 200")
    approvals: list[str] = Field(default_factory=list)
    address: str = ""
    preview_address: str = ""


class EnvironmentView(Message):
    """Answer of the query `view` of an EnvironmentWorkflow; releases newest first."""

    environment: str
    service: str
    stable: Release | None = None
    history: list[Release] = Field(default_factory=list)
    active: str = Field("", description="workflow id of the rollout under way")
    queued: list[str] = Field(default_factory=list)
    frozen: str = ""


def environment_workflow_id(environment: str, service: str) -> str:
    return f"environment/{environment}/{service}"
