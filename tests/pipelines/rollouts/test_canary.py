"""Canary: steps in order, replicas before traffic."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given

from pipelines.rollouts import World
from pipelines.rollouts.base import Analyse, Ensure, Linger, Move, Pause, Promote, Retire, Weight
from pipelines.spec.rollout import CanarySpec, CanaryStep, PauseSpec
from tests.support.rollouts import ANALYSIS, canaries, drive, fresh, moves, worlds

_WORLD = World(replicas=4, has_stable=True, stable=4, stable_replicas=4)
_END: list[Move] = [Promote(), Linger(seconds=5.0), Retire(track="stable")]


def _up(replicas: int) -> Ensure:
    return Ensure(track="candidate", replicas=replicas)


def _weight(percent: int) -> CanaryStep:
    return CanaryStep(set_weight=percent)


def test_steps_in_order() -> None:
    pause = CanaryStep(pause=PauseSpec(duration=60))
    approval = CanaryStep(pause=PauseSpec())
    steps = [_weight(10), pause, _weight(50), CanaryStep(analysis=True), approval]
    assert moves(CanarySpec(steps=steps, analysis=ANALYSIS), _WORLD) == [
        _up(1),
        Weight(candidate=10),
        Pause(seconds=60),
        _up(2),
        Weight(candidate=50),
        Analyse(count=3),
        Pause(),
        _up(4),
        Weight(candidate=100),
        *_END,
    ]


def test_a_step_before_the_first_weight_has_a_candidate_to_look_at() -> None:
    found = moves(CanarySpec(steps=[CanaryStep(pause=PauseSpec()), _weight(100)]), _WORLD)
    assert found[:4] == [_up(1), Pause(), _up(4), Weight(candidate=100)]


@pytest.mark.parametrize("weights", [[0, 100], [100], [20, 20, 100], [0]])
def test_a_weight_that_changes_nothing_is_no_move(weights: list[int]) -> None:
    found = moves(CanarySpec(steps=[_weight(weight) for weight in weights]), _WORLD)
    set_to = [move.candidate for move in found if isinstance(move, Weight)]
    assert set_to == sorted({*weights, 100} - {0})


@given(canaries(), worlds(has_stable=True))
def test_replicas_are_there_before_their_share_of_traffic(spec: CanarySpec, world: World) -> None:
    for move, state in drive(spec, fresh(world)):
        if isinstance(move, Weight):
            assert state.world.candidate >= ceil(world.replicas * move.candidate / 100)
        assert state.world.stable == (0 if state.world.stable_gone else world.stable_replicas)


@given(canaries(), worlds(has_stable=True))
def test_every_pause_and_analysis_is_kept(spec: CanarySpec, world: World) -> None:
    found = moves(spec, world)
    assert sum(isinstance(move, Pause) for move in found) == sum(step.pause is not None for step in spec.steps)
    assert sum(isinstance(move, Analyse) for move in found) == sum(step.analysis for step in spec.steps)
