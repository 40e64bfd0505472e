"""Rolling: replicas are replaced a few at a time; traffic follows the share of replicas."""

from __future__ import annotations

from pipelines.rollouts.base import Analyse, Ensure, Linger, Move, Promote, Retire, Weight, World
from pipelines.spec.rollout import RollingSpec


def forward(spec: RollingSpec, world: World) -> tuple[Move, ...]:
    """Never fewer than replicas - maxUnavailable of both tracks together, and no more than replicas + maxSurge.

    The last batch of stable replicas is not stopped before the end, where a Deployment would: somebody must answer until the
    candidate does, and the way back stays short. For that long there may be up to maxUnavailable replicas more.
    Traffic leaves the stable replicas before they are stopped. Where stable has fewer replicas than wanted now, the budget is
    that of the wanted count, as in a Deployment that is scaled and updated at once.
    """
    moves: list[Move] = []
    old, new, want = world.stable, 0, world.replicas
    floor, ceiling = max(0, want - spec.max_unavailable), want + spec.max_surge
    while new < want or old > 0:
        up = max(0, min(want - new, ceiling - old - new))
        if up:
            new += up
            moves.append(Ensure(track="candidate", replicas=new))
        down = max(0, min(old, old + new - floor))
        old -= down
        moves.append(Weight(candidate=_share(new, old)))
        if down and old:
            moves.append(Ensure(track="stable", replicas=old))
    return (*_tidy(moves), *_end(spec))


def _share(new: int, old: int) -> int:
    """Percent of replicas that are new; 100 only when no old one is left, 0 only when there is no new one."""
    if not new:
        return 0
    if not old:
        return 100
    return min(99, max(1, round(100 * new / (new + old))))


def _tidy(moves: list[Move]) -> list[Move]:
    """Without weights that change nothing."""
    kept: list[Move] = []
    weight = 0
    for move in moves:
        if isinstance(move, Weight) and move.candidate == weight:
            continue
        weight = move.candidate if isinstance(move, Weight) else weight
        kept.append(move)
    return kept


def _end(spec: RollingSpec) -> list[Move]:
    analysis: list[Move] = [Analyse(count=spec.analysis.count)] if spec.analysis else []
    return [*analysis, Promote(), Linger(seconds=spec.scale_down_delay), Retire(track="stable")]
