"""Rollouts: one file per strategy; `plan` is the way in."""

from __future__ import annotations

from pipelines.rollouts import blue_green, canary, instant, rolling
from pipelines.rollouts.base import Move, Planned, State, World, first_release, remaining
from pipelines.spec.rollout import BlueGreenSpec, CanarySpec, RollingSpec


def forward(spec: CanarySpec | BlueGreenSpec | RollingSpec, world: World, fast: bool = False) -> tuple[Move, ...]:
    """All moves from the world as found to full promotion. `fast`: a rollback inside its window."""
    if not world.has_stable:
        return first_release(world)
    if fast:
        return instant.forward(world, spec.scale_down_delay)
    match spec:
        case CanarySpec():
            return canary.forward(spec, world)
        case BlueGreenSpec():
            return blue_green.forward(spec, world)
        case RollingSpec():
            return rolling.forward(spec, world)


def plan(spec: CanarySpec | BlueGreenSpec | RollingSpec, state: State, fast: bool = False) -> list[Planned]:
    """The moves still to make, the next one first; empty when the rollout is over."""
    return remaining(forward(spec, state.start, fast), state)


__all__ = ["Move", "Planned", "State", "World", "forward", "plan"]
