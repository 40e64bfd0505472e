"""Canary: traffic rises in steps; the candidate's replicas rise with its weight."""

from __future__ import annotations

from math import ceil

from pipelines.rollouts.base import Analyse, Ensure, Linger, Move, Pause, Promote, Retire, Weight, World
from pipelines.spec.rollout import CanarySpec, CanaryStep


def forward(spec: CanarySpec, world: World) -> tuple[Move, ...]:
    """Steps in order, then 100 %. A step's replicas are there before its traffic is."""
    moves: list[Move] = []
    replicas = 0
    for step in (*spec.steps, CanaryStep(set_weight=100)):
        wanted = _replicas(step, world)
        if wanted > replicas:
            replicas = wanted
            moves.append(Ensure(track="candidate", replicas=replicas))
        moves.extend(_moves(step, spec, moves))
    return (*moves, Promote(), Linger(seconds=spec.scale_down_delay), Retire(track="stable"))


def _replicas(step: CanaryStep, world: World) -> int:
    """At least one, so that a pause or an analysis before the first weight has a candidate to look at."""
    return max(1, ceil(world.replicas * (step.set_weight or 0) / 100))


def _moves(step: CanaryStep, spec: CanarySpec, before: list[Move]) -> list[Move]:
    if step.set_weight is not None:
        current = next((move.candidate for move in reversed(before) if isinstance(move, Weight)), 0)
        return [Weight(candidate=step.set_weight)] if step.set_weight != current else []
    if step.pause is not None:
        return [Pause(seconds=step.pause.duration)]
    return [Analyse(count=spec.analysis.count)] if spec.analysis else []
