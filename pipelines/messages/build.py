"""Source, workspaces, stages and steps."""

from __future__ import annotations

from pydantic import Field

from pipelines.messages.common import ArtifactRef, FindingCounts, Message, RunRequest, Status, TestSummary
from pipelines.spec import ArtifactSpec, CacheSpec, Pipeline, Reports, SecretRef, Step


class Resolved(Message):
    """The commit as it really is, and the pipeline that it carries (or the registry maps it to)."""

    sha: str
    tree: str
    version: str = Field(description="from a tag, or base version+commit")
    author: str = ""
    subject: str = ""
    committed_at: float = Field(0.0, description="Unix seconds")
    changed: list[str] | None = Field(None, description="paths changed against base; None: unknown, everything matches")
    pipeline: Pipeline
    pipeline_file: str


class Workspace(Message):
    """A checkout on one host. `queue` is that host's own task queue; `generation` rises when it is rebuilt."""

    name: str
    queue: str
    host: str
    path: str
    generation: int = 1


class StageOpen(Message):
    """Find an equal finished stage; otherwise make the workspace ready (checkout, layers in order, caches)."""

    run: RunRequest
    run_id: str = Field(description="the run's workflow id")
    tree: str
    stage: str = Field(description="stage name, with the matrix cell: 'test[py=3.11]'")
    stage_key: str = Field(description="hash of tree, definition, inputs and needs; '' turns reuse off")
    workspace: str = Field("shared", description="workspace name in the run")
    generation: int = 1
    layers: list[ArtifactRef] = Field(default_factory=list, description="what finished stages left, in order")
    caches: list[CacheSpec] = Field(default_factory=list)
    need_workspace: bool = True


class StepResult(Message):
    """`log` is the log's path relative to the log folder. Times in Unix seconds, memory in bytes."""

    key: str
    title: str
    status: Status
    exit_code: int | None = None
    reused: bool = False
    attempt: int = 1
    started_at: float = 0.0
    finished_at: float = 0.0
    cpu_seconds: float = 0.0
    max_rss: int = 0
    log: str = ""
    message: str = Field("", description="why it failed, in one line")
    findings: FindingCounts | None = None
    tests: TestSummary | None = None
    coverage: float | None = None


class StageResult(Message):
    """What a stage left behind; stored under its key when it passed."""

    stage: str
    status: Status
    steps: list[StepResult] = Field(default_factory=list)
    tests: TestSummary | None = None
    coverage: float | None = Field(None, description="line coverage in percent")
    findings: FindingCounts | None = None
    artifacts: list[ArtifactRef] = Field(default_factory=list)
    layer: ArtifactRef | None = Field(None, description="files the stage added to or changed in the workspace")
    note: str = Field("", description="what people should know, e.g. why the stage cannot be reused")


class StageOpened(Message):
    workspace: Workspace | None = None
    reused: StageResult | None = None


class StepInput(Message):
    """One step in a workspace. `key` does not depend on the attempt of the activity: a passed step with the same key is
    never run again, a running one is attached to. `attempt` counts the spec's own retries of a failed step."""

    key: str
    run_id: str
    repo: str
    stage: str
    index: int
    step: Step
    workspace: Workspace
    env: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, SecretRef] = Field(default_factory=dict, description="only those that this step may have")
    attempt: int = 1
    execution: str = Field("", description="this execution of the run; a failed result of another one is not reused")


class StageSeal(Message):
    """Collect what the stage left. Called once when its steps have ended, passed or not."""

    run: RunRequest
    run_id: str
    tree: str
    version: str
    stage: str
    stage_key: str
    status: Status
    steps: list[StepResult]
    workspace: Workspace
    started_at: float
    reports: Reports = Reports()
    artifacts: list[ArtifactSpec] = Field(default_factory=list)
    caches: list[CacheSpec] = Field(default_factory=list)
    layer: bool = Field(True, description="keep what the stage changed, so that the workspace can be rebuilt elsewhere")


class WorkspaceDone(Message):
    run_id: str
    workspaces: list[Workspace]
