"""Events: every one has a schema, flat data, an id that depends on the fact alone, and can be read back."""

from __future__ import annotations

from typing import get_args

import jsonschema
import pytest

from pipelines import events
from pipelines.errors import UserError
from pipelines.messages.common import FindingCounts, RunRequest, Status, TestSummary
from pipelines.messages.deploy import Place, Release, RolloutStatus
from pipelines.messages.notify import Event
from pipelines.spec import ProcessSpec
from tests.support.records import artifact, deployment, run

RELEASE = Release(
    id="web-1", place=Place(environment="prod", service="web"), artifact=artifact(), version="1.2", sha="abc", run_id="r1",
    replicas=3, process=ProcessSpec(command="./run"),
)  # fmt: skip
REQUEST = RunRequest(repo="o/r", clone_url="file:///r", sha="abc", branch="main", event="push", actor="ann")
ENDED = run("r1", status=Status.failed, reason="tests failed", finished_at=160.0, service="web", version="1.2")

MADE = [
    events.run_started(REQUEST, "r1", "e1", 100.0),
    events.run_finished(ENDED),
    events.quality_measured(ENDED, "test", TestSummary(total=5, failed=1), FindingCounts(high=2), 81.5, 150.0, gate_passed=False),
    events.quality_measured(ENDED, "scan", None, None, None, 150.0),
    events.deployment_started(RELEASE, "canary", "rollout/prod/web/1", 100.0),
    events.deployment_completed(RELEASE, "canary", "rollout/prod/web/1", "promoted", "", 100.0, 190.0),
    events.deployment_measured(deployment(status="rolled-back", finished_at=130.0, committed_at=30.0)),
    events.deployment_required(RELEASE, "rollout/prod/web/1", 99.0),
    events.scaling_requested(RELEASE.place, 5, "queue grows", "q1", 99.0),
]


@pytest.mark.parametrize("made", MADE, ids=lambda made: made.id)
def test_what_is_made_can_be_read_and_follows_its_schema(made: Event) -> None:
    body = events.unseal(Event.model_validate_json(made.model_dump_json()))
    assert type(body).__name__ == made.type
    assert body.model_dump(mode="json") == made.data
    jsonschema.validate(made.data, events.json_schemas()[f"{made.type}/{made.version}"])
    assert all(value is None or isinstance(value, str | int | float) for value in made.data.values())


def test_ids_differ_from_fact_to_fact_and_not_from_telling_to_telling() -> None:
    assert len({made.id for made in MADE}) == len(MADE)
    assert events.run_started(REQUEST, "r1", "e1", 100.0) == MADE[0]
    assert events.run_started(REQUEST, "r1", "e2", 100.0).id != MADE[0].id
    assert events.run_finished(ENDED.model_copy(update={"execution": "e2"})).id != events.run_finished(ENDED).id


def test_a_finished_run_tells_what_it_took() -> None:
    body = events.unseal(events.run_finished(ENDED))
    assert isinstance(body, events.BuildCompletedEvent)
    assert (body.status, body.reason, body.duration, body.finished_at) == (Status.failed, "tests failed", 60.0, 160.0)


def test_a_run_without_an_end_took_no_time() -> None:
    body = events.unseal(events.run_finished(run(finished_at=None)))
    assert isinstance(body, events.BuildCompletedEvent)
    assert (body.duration, body.finished_at) == (0.0, 100.0)


def test_a_deployment_tells_what_where_and_how() -> None:
    body = events.unseal(MADE[5])
    assert isinstance(body, events.DeploymentCompletedEvent)
    assert (body.environment, body.service, body.release_id, body.digest) == ("prod", "web", "web-1", artifact().digest)
    assert (body.strategy, body.replicas, body.status, body.duration) == ("canary", 3, "promoted", 90.0)
    assert MADE[5].subject == "prod/web"


@pytest.mark.parametrize(
    ("status", "failed"),
    [(status, status in ("rolled-back", "failed")) for status in get_args(RolloutStatus)],
)
def test_what_counts_as_a_failed_deployment(status: str, failed: bool) -> None:
    body = events.unseal(events.deployment_measured(deployment(status=status, finished_at=130.0)))
    assert isinstance(body, events.DeploymentMetricsEvent)
    assert body.failed is failed
    assert body.lead_time is None, "the commit's time is not known"


def test_lead_time_is_from_commit_to_the_end() -> None:
    body = events.unseal(MADE[6])
    assert isinstance(body, events.DeploymentMetricsEvent)
    assert (body.lead_time, body.duration) == (100.0, 30.0)


def test_quality_without_reports_is_not_measured() -> None:
    body = events.unseal(MADE[3])
    assert isinstance(body, events.QualityMetricsEvent)
    assert (body.coverage, body.tests, body.findings_critical, body.gate_passed) == (None, 0, 0, None)


def test_quality_tells_what_the_gate_saw_and_said() -> None:
    body = events.unseal(MADE[2])
    assert isinstance(body, events.QualityMetricsEvent)
    assert (body.coverage, body.tests, body.tests_failed, body.findings_high, body.gate_passed) == (81.5, 5, 1, 2, False)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("InfrastructureProvisionedEvent", {"environment": "prod", "endpoint": "https://k8s", "unknown": "ignored"}),
        ("SystemHealthEvent", {"environment": "prod", "status": "degraded"}),
        ("PerformanceMetricsEvent", {"environment": "prod", "service": "web", "window": 60.0, "error_rate": 0.01}),
    ],
)
def test_what_enters_is_understood_and_what_a_newer_sender_adds_is_ignored(kind: str, data: dict[str, str | float]) -> None:
    body = events.unseal(Event(id="1", type=kind, subject="prod", time=1.0, data=data))
    assert type(body) in events.ENTERING
    assert not hasattr(body, "unknown")


@pytest.mark.parametrize(("kind", "version"), [("Nonsense", 1), ("DeploymentStartedEvent", 99)])
def test_unknown_types_and_versions_are_refused_with_what_is_known(kind: str, version: int) -> None:
    with pytest.raises(UserError, match="DeploymentStartedEvent"):
        events.unseal(Event(id="1", type=kind, version=version, subject="x", time=1.0))


def test_data_that_does_not_fit_is_refused_with_its_place() -> None:
    with pytest.raises(UserError, match=r"event 7 .* status: Field required"):
        events.unseal(Event(id="7", type="SystemHealthEvent", subject="x", time=1.0, data={"environment": "prod"}))


def test_every_schema_is_listed_by_type_and_version() -> None:
    schemas = events.json_schemas()
    assert {"DeploymentStartedEvent/1", "DeploymentCompletedEvent/1", "InfrastructureProvisionedEvent/1"} <= set(schemas)
    assert len(schemas) == len(events.LEAVING) + len(events.ENTERING)
