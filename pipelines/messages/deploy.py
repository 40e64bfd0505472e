"""Releases, rollouts, traffic, measurement."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.messages.common import ArtifactRef, Message
from pipelines.spec import AnalysisSpec, CheckSpec, ProcessSpec, RolloutSpec

Track = Literal["stable", "candidate"]


class Place(Message):
    """Where a release runs."""

    environment: str
    service: str
    target: Literal["local", "kubernetes"] = "local"

    @property
    def key(self) -> str:
        return f"{self.environment}/{self.service}"


class Release(Message):
    """An artifact of a service in an environment. `id` is a DNS label, equal for equal content and configuration."""

    id: str
    place: Place
    artifact: ArtifactRef
    version: str = ""
    sha: str = ""
    run_id: str = ""
    replicas: int = 1
    process: ProcessSpec
    env: dict[str, str] = Field(default_factory=dict)


class PrepareInput(Message):
    """Check the environment before anything is released: target reachable, router there, artifact present."""

    place: Place
    artifact: ArtifactRef | None = None


class Prepared(Message):
    address: str = Field("", description="base URL that people and tests use for the service")
    facts: list[str] = Field(default_factory=list)


class EnsureInput(Message):
    """Have exactly `replicas` of the release running. More are started, surplus ones drained and stopped."""

    release: Release
    replicas: int
    drain: float = 2.0


class ReplicaStatus(Message):
    name: str
    address: str = ""
    ready: bool = False
    alive: bool = False
    starting: bool = Field(False, description="it was never ready: whoever started it judges it")
    restarts: int = 0
    reason: str = Field("", description="why it is not ready, with the last log lines")


class ReleaseStatus(Message):
    release_id: str
    replicas: list[ReplicaStatus] = Field(default_factory=list)

    @property
    def ready(self) -> int:
        return sum(replica.ready for replica in self.replicas)


class RouteInput(Message):
    """The whole routing of a place, so that setting it twice is setting it once. Weights are percent by release id and
    sum to 100; releases not named get nothing. `preview` is a release reachable on the preview address only."""

    place: Place
    weights: dict[str, int]
    preview: str | None = None
    revision: int = Field(0, description="rises with every change of a rollout; an older one never overwrites a newer")
    rollout: str = ""


class Routed(Message):
    """Returned when the data plane serves it."""

    weights: dict[str, int]
    address: str = ""
    preview_address: str = ""
    preview: str | None = None
    notes: list[str] = Field(default_factory=list, description="what somebody else has changed, one line each")


class RetireInput(Message):
    """Drain, stop and remove. Refused (Conflict) while the router still sends the release traffic."""

    place: Place
    release_id: str
    drain: float = 2.0


class CheckInput(Message):
    place: Place
    checks: list[CheckSpec]
    address: str = Field("", description="'' means the place's own address")
    preview: bool = False
    run_id: str = ""


class CheckOutcome(Message):
    passed: bool
    lines: list[str] = Field(default_factory=list, description="one line per check, with what was expected and seen")


class Verdict(Message):
    """`score` only from the statistical judge (0..100)."""

    outcome: Literal["pass", "fail", "inconclusive", "error"]
    reason: str = ""
    score: float | None = None
    values: dict[str, float | None] = Field(default_factory=dict, description="measured number by metric")
    outcomes: dict[str, str] = Field(
        default_factory=dict, description="outcome by metric; measured: it has no thresholds, only the judge can tell"
    )
    requests: dict[str, int] = Field(default_factory=dict, description="requests served in the window by track")
    judged: Literal["pass", "fail", "inconclusive", "error"] | None = Field(
        None, description="what the statistical judge says; None when it was not asked"
    )
    classifications: dict[str, str] = Field(
        default_factory=dict, description="the judge's by metric: Pass, High, Low, Nodata, NodataFailMetric, Error"
    )


class MeasureInput(Message):
    """Measure and judge once. The window is from `since` (Unix seconds) to now."""

    place: Place
    candidate: str
    stable: str | None = None
    analysis: AnalysisSpec
    since: float
    window: float = Field(description="seconds that thresholds look back")
    rollout: str = ""
    judge: bool = Field(False, description="also run the statistical judge, if the analysis has one")


RolloutStatus = Literal["promoted", "rolled-back", "aborted", "superseded", "unchanged", "failed"]


class RolloutRequest(Message):
    """`request_id` makes asking twice one rollout. `reply_to` is the workflow that is signalled with the result."""

    request_id: str
    release: Release
    spec: RolloutSpec
    policy: Literal["queue", "supersede"] = "queue"
    actor: str = "unknown"
    author: str = ""
    reason: str = ""
    reply_to: str = ""
    committed_at: float = 0.0
    kind: Literal["rollout", "rollback"] = "rollout"
    fast: bool = Field(False, description="without pauses and analyses: the way back to what has served before")


class RolloutResult(Message):
    request_id: str = ""
    status: RolloutStatus
    reason: str = ""
    release_id: str = ""
    stable_id: str = ""
    workflow_id: str = ""


class Withdrawal(Message):
    """Whoever asked for a rollout does not want it any more: it never starts, or it is turned back."""

    request_id: str
    actor: str = "unknown"
    reason: str = ""


class Ticket(Message):
    """The environment's answer to a request: which workflow will carry it out, and how many are before it."""

    workflow_id: str
    ahead: int = 0


class Served(Message):
    """A release that was promoted, with the strategy that brought it. Times in Unix seconds; `until` None: it is stable now."""

    release: Release
    spec: RolloutSpec
    since: float = 0.0
    until: float | None = None


class EnvironmentLoaded(Message):
    """`served` newest first; `unfinished` is the workflow id of a rollout that was under way; `count`: number of the newest."""

    served: list[Served] = Field(default_factory=list)
    unfinished: str = ""
    count: int = 0


class RollbackRequest(Message):
    """`to`: release id; None is the one before the current. Younger than `window` seconds: without pauses."""

    place: Place
    to: str | None = None
    actor: str = "unknown"
    reason: str = ""
    window: float = 86400.0
    request_id: str = ""
