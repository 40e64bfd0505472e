"""Versioned schemas of every event that enters or leaves, and how an `Event` message is made of one.

An event's `type` is its model's name, its `version` the model's. A field may be added with a default under the same version;
anything else is a new version, a new entry in EVENTS, and the old one stays readable. Times are Unix seconds, durations seconds.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, ValidationError

from pipelines.errors import UserError, wrong_fields
from pipelines.messages.common import FindingCounts, Message, RunRequest, Status, TestSummary
from pipelines.messages.deploy import Place, Release, RolloutStatus
from pipelines.messages.notify import DeploymentRecord, Event, RunRecord


class Body(Message):
    """Base of all schemas: flat, with scalar values only, so that every broker and table takes it."""

    VERSION: ClassVar[int] = 1


class BuildStartedEvent(Body):
    """A run began. `execution` tells a retried run from the first try."""

    run_id: str
    execution: str = ""
    repo: str
    branch: str = ""
    sha: str
    pipeline: str = "default"
    trigger: str = Field("", description="push, pull_request, release, manual ...")
    actor: str = ""
    started_at: float


class BuildCompletedEvent(Body):
    """A run ended, with what it took."""

    run_id: str
    execution: str = ""
    repo: str
    branch: str = ""
    sha: str
    pipeline: str = "default"
    service: str = ""
    version: str = ""
    status: Status
    reason: str = ""
    started_at: float
    finished_at: float
    duration: float


class QualityMetricsEvent(Body):
    """What a run found out about quality. Coverage in percent; None: not measured."""

    run_id: str
    repo: str
    sha: str
    coverage: float | None = None
    tests: int = 0
    tests_failed: int = 0
    tests_flaky: int = 0
    findings_low: int = 0
    findings_medium: int = 0
    findings_high: int = 0
    findings_critical: int = 0
    gate_passed: bool | None = None


class DeploymentStartedEvent(Body):
    """Traffic may begin to move."""

    rollout: str = Field(description="workflow id of the rollout")
    environment: str
    service: str
    release_id: str
    digest: str
    version: str = ""
    sha: str = ""
    run_id: str = ""
    strategy: str
    replicas: int = 1
    started_at: float


class DeploymentCompletedEvent(DeploymentStartedEvent):
    """A rollout ended; `status` says which release has the traffic."""

    status: RolloutStatus
    reason: str = ""
    finished_at: float
    duration: float


class DeploymentMetricsEvent(Body):
    """One rollout as DORA counts it. `lead_time` from commit to end of the rollout; None when the commit's time is not known."""

    rollout: str
    environment: str
    service: str
    strategy: str = ""
    status: str
    failed: bool
    rollback: bool
    duration: float
    lead_time: float | None = None


class DeploymentRequirementsEvent(Body):
    """To whoever provisions infrastructure: what a release needs before it can run."""

    environment: str
    service: str
    release_id: str
    target: str
    replicas: int
    artifact_bytes: int = 0


class ScalingRequestEvent(Body):
    """To whoever provisions infrastructure: a service needs more or fewer replicas than its place can hold."""

    environment: str
    service: str
    replicas: int
    reason: str = ""


class InfrastructureProvisionedEvent(Body):
    """Enters: an environment is there to deploy into."""

    environment: str
    provider: str = ""
    region: str = ""
    endpoint: str = ""
    ready: bool = True
    resource_id: str = ""


class SystemHealthEvent(Body):
    """Enters: how a system is. `status` is healthy, degraded or unhealthy."""

    environment: str
    service: str = ""
    status: str
    reason: str = ""


class PerformanceMetricsEvent(Body):
    """Enters: what monitoring measured. Rates in 0..1, latencies in seconds."""

    environment: str
    service: str
    window: float
    requests: int = 0
    error_rate: float | None = None
    latency_p50: float | None = None
    latency_p99: float | None = None


LEAVING: tuple[type[Body], ...] = (
    BuildStartedEvent,
    BuildCompletedEvent,
    QualityMetricsEvent,
    DeploymentStartedEvent,
    DeploymentCompletedEvent,
    DeploymentMetricsEvent,
    DeploymentRequirementsEvent,
    ScalingRequestEvent,
)
ENTERING: tuple[type[Body], ...] = (InfrastructureProvisionedEvent, SystemHealthEvent, PerformanceMetricsEvent)
EVENTS: dict[tuple[str, int], type[Body]] = {(model.__name__, model.VERSION): model for model in (*LEAVING, *ENTERING)}


def seal(body: Body, id: str, subject: str, time: float) -> Event:
    """The message that carries `body`. `id` must depend on the fact alone, so that telling it twice is one event."""
    data: dict[str, Any] = body.model_dump(mode="json")
    return Event(id=id, type=type(body).__name__, version=body.VERSION, subject=subject, time=time, data=data)


def unseal(event: Event) -> Body:
    """The typed body of a message. Raises UserError when type and version are unknown or the data does not fit."""
    model = EVENTS.get((event.type, event.version))
    if model is None:
        known = ", ".join(sorted({name for name, _ in EVENTS}))
        raise UserError(f"event {event.id}: type {event.type} version {event.version} is not known", f"Known: {known}")
    try:
        return model.model_validate(event.data)
    except ValidationError as error:
        wrong = wrong_fields(error.errors())
        raise UserError(f"event {event.id} of type {event.type} does not fit its schema: {wrong}") from None


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema of every event by 'Type/version', for those who write or read them elsewhere."""
    return {f"{name}/{version}": model.model_json_schema() for (name, version), model in sorted(EVENTS.items())}


def run_started(request: RunRequest, run_id: str, execution: str, started_at: float) -> Event:
    body = BuildStartedEvent(
        run_id=run_id,
        execution=execution,
        repo=request.repo,
        branch=request.branch,
        sha=request.sha,
        pipeline=request.pipeline,
        trigger=request.event,
        actor=request.actor,
        started_at=started_at,
    )
    return seal(body, f"{run_id}/{execution}/started", run_id, started_at)


def run_finished(record: RunRecord) -> Event:
    """Of a record that has its end; without one, the run counts as ended when it began."""
    finished = record.finished_at if record.finished_at is not None else record.started_at
    shared = record.model_dump(include=set(BuildCompletedEvent.model_fields) - {"finished_at"})
    body = BuildCompletedEvent(**shared, finished_at=finished, duration=max(0.0, finished - record.started_at))
    return seal(body, f"{record.run_id}/{record.execution}/finished", record.run_id, finished)


def quality_measured(
    record: RunRecord,
    stage: str,
    tests: TestSummary | None,
    findings: FindingCounts | None,
    coverage: float | None,
    time: float,
    *,
    gate_passed: bool | None = None,
) -> Event:
    """What a stage's gate saw at `time`, and decided; None: there was no gate."""
    tests, counts = tests or TestSummary(), findings or FindingCounts()
    body = QualityMetricsEvent(
        run_id=record.run_id,
        repo=record.repo,
        sha=record.sha,
        coverage=coverage,
        tests=tests.total,
        tests_failed=tests.failed,
        tests_flaky=tests.flaky,
        findings_low=counts.low,
        findings_medium=counts.medium,
        findings_high=counts.high,
        findings_critical=counts.critical,
        gate_passed=gate_passed,
    )
    return seal(body, f"{record.run_id}/{record.execution}/{stage}/quality", record.run_id, time)


def _deployed(release: Release, strategy: str, rollout: str, started_at: float) -> dict[str, Any]:
    return {
        "rollout": rollout,
        "environment": release.place.environment,
        "service": release.place.service,
        "release_id": release.id,
        "digest": release.artifact.digest,
        "version": release.version,
        "sha": release.sha,
        "run_id": release.run_id,
        "strategy": strategy,
        "replicas": release.replicas,
        "started_at": started_at,
    }


def deployment_started(release: Release, strategy: str, rollout: str, started_at: float) -> Event:
    body = DeploymentStartedEvent(**_deployed(release, strategy, rollout, started_at))
    return seal(body, f"{rollout}/started", release.place.key, started_at)


def deployment_completed(
    release: Release, strategy: str, rollout: str, status: RolloutStatus, reason: str, started_at: float, finished_at: float
) -> Event:
    body = DeploymentCompletedEvent(
        **_deployed(release, strategy, rollout, started_at),
        status=status,
        reason=reason,
        finished_at=finished_at,
        duration=max(0.0, finished_at - started_at),
    )
    return seal(body, f"{rollout}/completed", release.place.key, finished_at)


def deployment_measured(record: DeploymentRecord) -> Event:
    """The DORA view of a finished rollout."""
    finished = record.finished_at if record.finished_at is not None else record.started_at
    body = DeploymentMetricsEvent(
        rollout=record.key,
        environment=record.environment,
        service=record.service,
        strategy=record.strategy,
        status=record.status,
        failed=record.status in ("rolled-back", "failed"),
        rollback=record.rollback,
        duration=max(0.0, finished - record.started_at),
        lead_time=finished - record.committed_at if record.committed_at else None,
    )
    return seal(body, f"{record.key}/metrics", f"{record.environment}/{record.service}", finished)


def deployment_required(release: Release, rollout: str, time: float) -> Event:
    """What the release needs, said before it is started."""
    body = DeploymentRequirementsEvent(
        environment=release.place.environment,
        service=release.place.service,
        release_id=release.id,
        target=release.place.target,
        replicas=release.replicas,
        artifact_bytes=release.artifact.size,
    )
    return seal(body, f"{rollout}/requirements", release.place.key, time)


def scaling_requested(place: Place, replicas: int, reason: str, request_id: str, time: float) -> Event:
    body = ScalingRequestEvent(environment=place.environment, service=place.service, replicas=replicas, reason=reason)
    return seal(body, f"{place.key}/{request_id}/scaling", place.key, time)
