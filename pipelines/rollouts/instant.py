"""Instant: the way back to a release that has served before. No steps, no pauses: all at once when it is ready."""

from __future__ import annotations

from pipelines.rollouts.base import Ensure, Linger, Move, Promote, Retire, Weight, World


def forward(world: World, linger: float) -> tuple[Move, ...]:
    return (
        Ensure(track="candidate", replicas=world.replicas),
        Weight(candidate=100),
        Promote(),
        Linger(seconds=linger),
        Retire(track="stable"),
    )
