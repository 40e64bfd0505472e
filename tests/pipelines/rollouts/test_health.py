"""When a running release counts as broken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.messages.deploy import ReleaseStatus, ReplicaStatus
from pipelines.rollouts.health import PATIENCE, broken


def _look(*replicas: dict[str, Any]) -> ReleaseStatus:
    found = [
        ReplicaStatus(**{"name": f"r{number}", "alive": True, "ready": True, **given}) for number, given in enumerate(replicas)
    ]
    return ReleaseStatus(release_id="shop-1", replicas=found)


_WELL = _look({}, {})
_SLOW = _look({}, {"ready": False, "reason": "HTTP 503"})


@pytest.mark.parametrize("history", [[], [_WELL], [_WELL] * 9, [_SLOW] * (PATIENCE - 1), [_WELL, *[_SLOW] * (PATIENCE - 1)]])
def test_healthy(history: list[ReleaseStatus]) -> None:
    assert broken(history) == ""


def test_not_ready_for_long() -> None:
    assert broken([_WELL, *[_SLOW] * PATIENCE]) == "replica r1 is not ready: HTTP 503"


def test_ready_once_in_between_is_enough() -> None:
    assert broken([_SLOW, _SLOW, _WELL, _SLOW]) == ""
    assert broken([_SLOW] * PATIENCE + [_WELL]) == ""


@pytest.mark.parametrize(
    ("replica", "words"),
    [
        ({"alive": False, "reason": "exit code 1"}, "replica r1 crashed: exit code 1"),
        ({"alive": False}, "replica r1 crashed: its process ended"),
        ({"restarts": 1, "reason": "killed"}, "replica r1 crashed: killed"),
    ],
)
def test_a_process_that_died_counts_at_once(replica: dict[str, Any], words: str) -> None:
    assert broken([_look({}, replica)]) == words


@pytest.mark.parametrize("replica", [{"alive": False}, {"restarts": 2}, {"ready": False}])
def test_a_replica_that_is_being_added_does_not_count(replica: dict[str, Any]) -> None:
    assert broken([_look({}, {**replica, "starting": True})] * PATIENCE) == ""


def test_a_replica_that_is_new_gets_its_time() -> None:
    one = _look({})
    assert broken([one, one, _SLOW]) == ""


@given(st.lists(st.sampled_from([_WELL, _SLOW]), max_size=12))
def test_only_the_last_looks_count(history: list[ReleaseStatus]) -> None:
    assert (broken(history) != "") is (len(history) >= PATIENCE and all(look is _SLOW for look in history[-PATIENCE:]))
