"""What a run knows of itself while it runs: one page per stage instance, and the view that people see."""

from __future__ import annotations

from dataclasses import dataclass, field

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from pipelines import attributes
from pipelines.details import run_details
from pipelines.graph import Instance
from pipelines.messages.build import Resolved, StageResult, StepResult, Workspace
from pipelines.messages.common import ArtifactRef, RunRequest, Status
from pipelines.messages.deploy import RolloutResult
from pipelines.messages.group import GroupMember
from pipelines.messages.runs import Abort, RunView, StageView, StepView
from workflows.tell import Teller

_STATUS = SearchAttributeKey.for_keyword(attributes.STATUS)


@dataclass
class Page:
    """One stage instance. `steps` has a result for every step begun; `attempts` counts the tries of each step, `releases`,
    `asked` and `turns` those of its release, approval and concurrency group, `redone` how often somebody wanted a step again that
    may have passed. `ground` is the workspace that has what the passed steps did, as long as no layer has it; `turn` is the
    stage's place in its concurrency group."""

    instance: Instance
    status: Status = Status.pending
    reason: str = ""
    waiting_for: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    steps: dict[int, StepView] = field(default_factory=dict)
    results: dict[int, StepResult] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    redone: dict[int, int] = field(default_factory=dict)
    releases: int = 0
    asked: int = 0
    turns: int = 0
    ground: Workspace | None = None
    turn: GroupMember | None = None
    approvals: list[str] = field(default_factory=list)
    asking: bool = False
    rejected: str = ""
    rollout_id: str = ""
    address: str = ""
    key: str = ""
    sealed: StageResult | None = None

    @property
    def name(self) -> str:
        return self.instance.name

    def again(self) -> None:
        """Back to the start, with what passed kept: passed steps are not run again."""
        self.status, self.reason, self.finished_at, self.rejected = Status.pending, "", None, ""
        self.approvals = []
        for index in [index for index, view in self.steps.items() if not view.status.ok]:
            del self.steps[index]

    def redo(self, first: int) -> None:
        """Steps from `first` on are run again, even those that passed."""
        for index in range(first, len(self.instance.stage.steps)):
            self.redone[index] = self.redone.get(index, 0) + 1
            self.steps.pop(index, None)

    def start_over(self) -> None:
        """What the steps did is gone: all of them are run again."""
        self.steps, self.results, self.ground = {}, {}, None

    def end_step(self, index: int, status: Status, message: str) -> None:
        self.steps[index] = self.steps[index].model_copy(update={"status": status, "message": message})


@dataclass
class RunBook:
    """The whole run. Only the run's own workflow writes into it."""

    request: RunRequest
    run_id: str
    execution: str
    started_at: float
    teller: Teller
    status: Status = Status.running
    reason: str = ""
    resolved: Resolved | None = None
    pages: dict[str, Page] = field(default_factory=dict)
    layers: list[ArtifactRef] = field(default_factory=list)
    rollouts: dict[str, RolloutResult] = field(default_factory=dict)
    turns: list[GroupMember] = field(default_factory=list)
    granted: list[tuple[str, str]] = field(default_factory=list)
    held_until: float | None = None
    stopped: Abort | None = None
    finished_at: float | None = None
    shown: str = ""

    @property
    def commit(self) -> Resolved:
        if self.resolved is None:
            raise ValueError("the commit is not resolved yet")
        return self.resolved

    def artifact(self, name: str) -> ArtifactRef | None:
        """The newest artifact of that name that a stage of this run left."""
        found = [
            artifact
            for page in self.pages.values()
            if page.sealed is not None
            for artifact in page.sealed.artifacts
            if artifact.name == name
        ]
        return found[-1] if found else None

    def layers_of(self, names: list[str]) -> list[ArtifactRef]:
        """What the named stages left in their workspaces, in the order they finished."""
        wanted = [page.sealed.layer for page in self.pages.values() if page.name in names and page.sealed is not None]
        digests = [layer.digest for layer in wanted if layer is not None]
        return [layer for layer in self.layers if layer.digest in digests]

    def view(self) -> RunView:
        return RunView(
            run=self.request,
            run_id=self.run_id,
            execution=self.execution,
            status=self.status,
            reason=self.reason,
            service=self.resolved.pipeline.service if self.resolved else "",
            version=self.resolved.version if self.resolved else "",
            pipeline_file=self.resolved.pipeline_file if self.resolved else "",
            started_at=self.started_at,
            finished_at=self.finished_at,
            stages=[_stage_view(page) for page in self.pages.values()],
            held_until=self.held_until,
        )

    def show(self) -> None:
        """Temporal's UI and search follow the run."""
        workflow.set_current_details(run_details(self.view()))
        if self.status != self.shown:
            self.shown = self.status
            workflow.upsert_search_attributes([_STATUS.value_set(str(self.status))])


def _stage_view(page: Page) -> StageView:
    sealed = page.sealed
    return StageView(
        name=page.name,
        status=page.status,
        needs=list(page.instance.needs),
        steps=[page.steps[index] for index in sorted(page.steps)],
        started_at=page.started_at,
        finished_at=page.finished_at,
        reason=page.reason,
        waiting_for=page.waiting_for,
        approvals=page.approvals,
        environment=page.instance.stage.environment or "",
        rollout_id=page.rollout_id,
        artifacts=sealed.artifacts if sealed else [],
        coverage=sealed.coverage if sealed else None,
        findings=sealed.findings if sealed else None,
        tests=sealed.tests if sealed else None,
    )


def step_view(index: int, result: StepResult) -> StepView:
    return StepView(
        index=index,
        title=result.title,
        status=result.status,
        seconds=max(0.0, result.finished_at - result.started_at),
        exit_code=result.exit_code,
        reused=result.reused,
        attempt=result.attempt,
        message=result.message,
        log=result.log,
        findings=result.findings,
        tests=result.tests,
    )
