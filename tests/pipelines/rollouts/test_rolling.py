"""Rolling: a few replicas at a time, within the budget of a Deployment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rollouts import Move, State, World, plan
from pipelines.rollouts.base import Analyse, Ensure, Linger, Promote, Retire, Weight, promoted_fully
from pipelines.spec.rollout import RollingSpec
from tests.support.rollouts import ANALYSIS, drive, fresh, moves, rollings, stops, worlds


def _world(replicas: int, stable: int) -> World:
    return World(replicas=replicas, has_stable=True, stable=stable, stable_replicas=stable)


def _ensure(track: str, replicas: int) -> Ensure:
    return Ensure(track=track, replicas=replicas)  # type: ignore[arg-type]


def test_one_at_a_time() -> None:
    assert moves(RollingSpec(), _world(2, 2)) == [
        _ensure("candidate", 1),
        Weight(candidate=50),
        _ensure("stable", 1),
        _ensure("candidate", 2),
        Weight(candidate=100),
        Promote(),
        Linger(seconds=5.0),
        Retire(track="stable"),
    ]


def test_without_room_the_old_one_goes_first() -> None:
    found = moves(RollingSpec(max_surge=0, max_unavailable=1), _world(2, 2))
    assert found[:3] == [_ensure("stable", 1), _ensure("candidate", 1), Weight(candidate=100)]


def test_all_at_once_with_room_for_all() -> None:
    found = moves(RollingSpec(max_surge=3), _world(3, 3))
    assert found[:3] == [_ensure("candidate", 3), Weight(candidate=100), Promote()]


def test_the_analysis_comes_before_promotion() -> None:
    found = moves(RollingSpec(analysis=ANALYSIS), _world(1, 1))
    assert found.index(Analyse(count=3)) == found.index(Promote()) - 1


def _stops_stable(move: Move) -> bool:
    return isinstance(move, Ensure) and move.track == "stable"


def _left(spec: RollingSpec, state: State) -> list[Move]:
    return [planned.move for planned in plan(spec, state)]


def test_the_last_batch_answers_until_the_candidate_does() -> None:
    found = moves(RollingSpec(max_surge=0, max_unavailable=3), _world(3, 3))
    assert found[:3] == [_ensure("candidate", 3), Weight(candidate=100), Promote()]


@given(rollings(), st.integers(1, 8))
def test_never_too_many_and_never_too_few(spec: RollingSpec, replicas: int) -> None:
    for _, state in drive(spec, fresh(_world(replicas, replicas))):
        if state.world.promoted:
            break
        total = state.world.candidate + state.world.stable
        assert total >= replicas - spec.max_unavailable
        last_batch = spec.max_unavailable if not any(_stops_stable(move) for move in _left(spec, state)) else 0
        assert total <= replicas + spec.max_surge + last_batch


@given(rollings(), worlds(has_stable=True))
def test_the_share_of_traffic_is_that_of_replicas(spec: RollingSpec, world: World) -> None:
    for move, state in drive(spec, fresh(world)):
        if isinstance(move, Weight) and 0 < move.candidate < 100:
            assert state.world.candidate > 0
            assert state.world.stable > 0


@given(rollings(), worlds(has_stable=True))
def test_replicas_of_the_candidate_rise_and_of_stable_fall(spec: RollingSpec, world: World) -> None:
    found = moves(spec, world)
    rising = [move.replicas for move in found if isinstance(move, Ensure) and move.track == "candidate"]
    falling = [move.replicas for move in found if isinstance(move, Ensure) and move.track == "stable"]
    assert rising == sorted(set(rising))
    assert falling == sorted(set(falling), reverse=True)
    assert rising[-1] == world.replicas


@given(rollings(), worlds(has_stable=True))
def test_full_promotion_keeps_the_partial_weights(spec: RollingSpec, world: World) -> None:
    """They are what keeps traffic off replicas that are about to stop."""
    for state in stops(spec, world):
        for _, later in drive(spec, promoted_fully(state)):
            assert later.world.weight == 100 or later.world.stable > 0


@pytest.mark.parametrize(("replicas", "stable"), [(1, 5), (5, 1), (6, 2)])
def test_scaling_and_updating_at_once(replicas: int, stable: int) -> None:
    for _, state in drive(RollingSpec(), fresh(_world(replicas, stable))):
        assert state.world.weight == 100 or state.world.stable > 0
    assert state.world.candidate == replicas
