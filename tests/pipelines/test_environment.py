"""Which release a rollback returns to, and what is recorded of a rollout."""

from __future__ import annotations

import pytest

from pipelines.environment import deployment_record, is_recent, previous, request_for
from pipelines.errors import Conflict, NotFound
from pipelines.messages.common import ArtifactRef
from pipelines.messages.deploy import Place, Release, RollbackRequest, RolloutRequest, Served
from pipelines.spec import ProcessSpec, RollingSpec

PLACE = Place(environment="production", service="shop")


def served(name: str, until: float | None = None) -> Served:
    release = Release(
        id=name,
        place=PLACE,
        artifact=ArtifactRef(name="app", digest=f"sha256:{name}", size=1),
        process=ProcessSpec(command="serve"),
    )
    return Served(release=release, spec=RollingSpec(), until=until)


HISTORY = [served("three"), served("two", 200.0), served("one", 100.0)]


@pytest.mark.parametrize(("to", "found"), [(None, "two"), ("two", "two"), ("one", "one")])
def test_previous(to: str | None, found: str) -> None:
    assert previous(HISTORY, to).release.id == found


@pytest.mark.parametrize(
    ("history", "to", "error", "words"),
    [
        ([], None, NotFound, "Earlier releases: none"),
        (HISTORY[:1], None, NotFound, "no earlier release"),
        (HISTORY, "three", Conflict, "three is the stable release already. Earlier releases: two, one"),
        (HISTORY, "zero", NotFound, "zero is not known here. Earlier releases: two, one"),
    ],
)
def test_nothing_to_return_to(history: list[Served], to: str | None, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        previous(history, to)


@pytest.mark.parametrize(("now", "recent"), [(200.0, True), (260.0, True), (261.0, False)])
def test_recent(now: float, recent: bool) -> None:
    assert is_recent(HISTORY[1], 60.0, now) is recent


def test_what_serves_now_is_not_returned_to() -> None:
    assert not is_recent(HISTORY[0], 60.0, 0.0)


def test_the_request_of_a_rollback() -> None:
    asked = RollbackRequest(place=PLACE, actor="ann", window=60.0)
    request = request_for(HISTORY[1], asked, 7, 230.0)
    assert (request.request_id, request.kind, request.policy, request.fast) == ("rollback-7", "rollback", "supersede", True)
    assert request.reason == "rollback to two"
    assert request_for(HISTORY[1], asked.model_copy(update={"request_id": "mine"}), 7, 999.0).request_id == "mine"


def test_the_record_of_a_rollout() -> None:
    request = RolloutRequest(request_id="r", release=HISTORY[0].release, spec=RollingSpec(), kind="rollback", committed_at=5.0)
    record = deployment_record(request, "rollout/production/shop/3", HISTORY[1].release, "failed", "why", 10.0, 20.0)
    assert (record.key, record.previous, record.status, record.rollback) == ("rollout/production/shop/3", "two", "failed", True)
    assert Release.model_validate_json(record.release_json) == HISTORY[0].release
    assert (record.started_at, record.finished_at, record.committed_at) == (10.0, 20.0, 5.0)
    assert deployment_record(request, "k", None, "started", "", 1.0).previous == ""
