"""Instant: a rollback within its window asks nobody and waits for nothing."""

from __future__ import annotations

from hypothesis import given

from pipelines.rollouts import World
from pipelines.rollouts.base import Ensure, Linger, Promote, Retire, Weight
from tests.support.rollouts import Spec, moves, specs, worlds


@given(specs(), worlds(has_stable=True))
def test_all_strategies_have_the_same_fast_way(spec: Spec, world: World) -> None:
    assert moves(spec, world, fast=True) == [
        Ensure(track="candidate", replicas=world.replicas),
        Weight(candidate=100),
        Promote(),
        Linger(seconds=spec.scale_down_delay),
        Retire(track="stable"),
    ]
