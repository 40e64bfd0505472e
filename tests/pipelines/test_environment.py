"""Which release a rollback returns to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.environment import is_recent, previous, request_for
from pipelines.errors import Conflict, NotFound
from pipelines.messages.common import ArtifactRef
from pipelines.messages.deploy import Place, Release, RollbackRequest, Served
from pipelines.spec import ProcessSpec
from pipelines.spec.rollout import BlueGreenSpec

_PLACE = Place(environment="production", service="shop")


def _served(name: str, until: float | None = None) -> Served:
    artifact = ArtifactRef(name="app", digest=f"sha256:{name}")
    release = Release(id=name, place=_PLACE, artifact=artifact, process=ProcessSpec(command="serve"))
    return Served(release=release, spec=BlueGreenSpec(), since=1.0, until=until)


_HISTORY = [_served("r3"), _served("r2", 200.0), _served("r1", 100.0)]


def test_the_one_before() -> None:
    assert previous(_HISTORY, None).release.id == "r2"


def test_a_named_one() -> None:
    assert previous(_HISTORY, "r1").release.id == "r1"


def test_a_name_that_served_twice_is_the_newest_of_them() -> None:
    again = [*_HISTORY, _served("r2", 50.0)]
    assert previous(again, "r2").until == 200.0


@pytest.mark.parametrize("served", [[], [_served("r1")]])
def test_there_is_none_before(served: list[Served]) -> None:
    with pytest.raises(NotFound, match="no earlier release") as caught:
        previous(served, None)
    assert caught.value.remedy == "Earlier releases: none"


def test_the_stable_one_is_nothing_to_return_to() -> None:
    with pytest.raises(Conflict, match="r3 is the stable release already"):
        previous(_HISTORY, "r3")


@pytest.mark.parametrize("served", [[], _HISTORY])
def test_an_unknown_one(served: list[Served]) -> None:
    with pytest.raises(NotFound, match="release r9 is not known here"):
        previous(served, "r9")


@given(st.lists(st.sampled_from(["r1", "r2", "r3"]), min_size=2, max_size=6), st.sampled_from([None, "r1", "r2", "r3"]))
def test_what_is_returned_to_has_served_before_the_stable_one(names: list[str], to: str | None) -> None:
    served = [_served(name) for name in names]
    try:
        found = previous(served, to)
    except (Conflict, NotFound):
        assert to is not None
        assert to == names[0] or to not in names
        return
    assert any(found is entry for entry in served[1:])
    assert to in (None, found.release.id)


@pytest.mark.parametrize(
    ("until", "window", "recent"), [(100.0, 50.0, True), (100.0, 49.9, False), (None, 1e9, False), (150.0, 0.0, True)]
)
def test_what_served_lately_is_trusted(until: float | None, window: float, recent: bool) -> None:
    assert is_recent(_served("r1", until), window, now=150.0) is recent


def test_the_rollback_as_a_request() -> None:
    target = _served("r2", 200.0)
    asked = RollbackRequest(place=_PLACE, actor="ann", reason="it is slow", window=60.0, request_id="x")
    found = request_for(target, asked, number=7, now=230.0)
    assert (found.request_id, found.release, found.spec) == ("x", target.release, target.spec)
    assert (found.policy, found.kind, found.fast, found.actor, found.reason) == (
        "supersede",
        "rollback",
        True,
        "ann",
        "it is slow",
    )
    assert request_for(target, asked, number=8, now=230.0) == found


def test_a_rollback_without_words_gets_some() -> None:
    found = request_for(_served("r2", 200.0), RollbackRequest(place=_PLACE, window=60.0), number=7, now=1000.0)
    assert (found.request_id, found.reason, found.fast) == ("rollback-7", "rollback to r2", False)
