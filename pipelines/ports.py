"""The activities' names and signatures: workflows call these, activities implement them, tests fake them.

A port has one pydantic input and one result. `pace` names the row of `pipelines/policy.py` that holds its timeouts and
retries. `queue` is the service's task queue; ports with `queue=None` run on the task queue of a workspace's host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

from pipelines.messages.build import (
    Resolved,
    StageOpen,
    StageOpened,
    StageResult,
    StageSeal,
    StepInput,
    StepResult,
    WorkspaceDone,
)
from pipelines.messages.common import Audit, Nothing, RunRequest
from pipelines.messages.deploy import (
    CheckInput,
    CheckOutcome,
    EnsureInput,
    EnvironmentLoaded,
    MeasureInput,
    Place,
    Prepared,
    PrepareInput,
    Release,
    ReleaseStatus,
    RetireInput,
    RolloutRequest,
    Routed,
    RouteInput,
    Ticket,
    Verdict,
)
from pipelines.messages.group import Alive, GroupMember
from pipelines.messages.notify import DeploymentRecord, Event, Notification, RunRecord
from pipelines.messages.quality import GateDecision, GateInput, RetentionInput, RetentionResult

Pace = Literal[
    "quick", "record", "fetch", "step", "collect", "release", "traffic", "watch", "measure", "check", "deliver", "sweep"
]

QUEUES = ("build", "quality", "security", "tests", "deploy", "artifacts", "notify")
"""The seven services of the spec; each is a Temporal task queue. Workflows themselves run on 'build' and 'deploy'."""

I = TypeVar("I", bound=BaseModel)  # noqa: E741
O = TypeVar("O", bound=BaseModel)  # noqa: E741


@dataclass(frozen=True)
class Port(Generic[I, O]):
    name: str
    takes: type[I]
    gives: type[O]
    queue: str | None
    pace: Pace


RESOLVE = Port("source.resolve", RunRequest, Resolved, "build", "fetch")
OPEN_STAGE = Port("stage.open", StageOpen, StageOpened, "build", "fetch")
"""Called on the queue of the service that the stage belongs to; its answer names the queue of the host that runs its steps."""
RUN_STEP = Port("step.run", StepInput, StepResult, None, "step")
SEAL_STAGE = Port("stage.seal", StageSeal, StageResult, None, "collect")
DROP_WORKSPACES = Port("workspace.drop", WorkspaceDone, Nothing, None, "quick")

EVALUATE_GATE = Port("quality.gate", GateInput, GateDecision, "quality", "quick")
SWEEP_ARTIFACTS = Port("artifacts.sweep", RetentionInput, RetentionResult, "artifacts", "sweep")

PREPARE = Port("deploy.prepare", PrepareInput, Prepared, "deploy", "check")
ENSURE_RELEASE = Port("deploy.ensure", EnsureInput, ReleaseStatus, "deploy", "release")
"""Returns when all replicas are ready; raises ReleaseUnhealthy with the reason when they cannot become so."""
INSPECT_RELEASE = Port("deploy.inspect", Release, ReleaseStatus, "deploy", "quick")
WATCH_RELEASE = Port("deploy.watch", Release, ReleaseStatus, "deploy", "watch")
"""Runs as long as the release is well; returns what it saw when the release broke (pipelines/rollouts/health.py)."""
RETIRE_RELEASE = Port("deploy.retire", RetireInput, Nothing, "deploy", "release")
RUN_CHECKS = Port("deploy.check", CheckInput, CheckOutcome, "tests", "check")
ROUTE = Port("traffic.route", RouteInput, Routed, "deploy", "traffic")
CURRENT_ROUTE = Port("traffic.current", Place, Routed, "deploy", "quick")
MEASURE = Port("measure.judge", MeasureInput, Verdict, "deploy", "measure")
REQUEST_ROLLOUT = Port("environment.request", RolloutRequest, Ticket, "deploy", "quick")
"""Asks the EnvironmentWorkflow, starting it when it is not there. Asking twice is asking once."""
LOAD_ENVIRONMENT = Port("environment.load", Place, EnvironmentLoaded, "deploy", "quick")
"""What the records know of a place, for an EnvironmentWorkflow that starts anew."""
JOIN_GROUP = Port("group.join", GroupMember, Nothing, "build", "quick")
"""Queues a workflow in a concurrency group; the group signals it when its turn has come."""
MEMBER_ALIVE = Port("group.alive", GroupMember, Alive, "build", "quick")

AUDIT = Port("records.audit", Audit, Nothing, "notify", "record")
RECORD_RUN = Port("records.run", RunRecord, Nothing, "notify", "record")
RECORD_DEPLOYMENT = Port("records.deployment", DeploymentRecord, Nothing, "notify", "record")
NOTIFY = Port("notify.send", Notification, Nothing, "notify", "deliver")
PUBLISH = Port("events.publish", Event, Nothing, "notify", "deliver")
