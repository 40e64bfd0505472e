"""Blue-green: the whole candidate stands beside stable, is checked on a preview address, and gets all traffic at once."""

from __future__ import annotations

from pipelines.rollouts.base import Analyse, Check, Ensure, Linger, Move, Pause, Preview, Promote, Retire, Weight, World
from pipelines.spec.rollout import BlueGreenSpec


def forward(spec: BlueGreenSpec, world: World) -> tuple[Move, ...]:
    """Preview, checks, (manual or timed) promotion, switch, validation; the old release stays for scaleDownDelay."""
    return (*_before(spec, world), Weight(candidate=100), Preview(on=False), *_after(spec))


def _before(spec: BlueGreenSpec, world: World) -> list[Move]:
    preview = spec.preview_replicas or world.replicas
    moves: list[Move] = [Ensure(track="candidate", replicas=preview), Preview(on=True)]
    if spec.pre_promotion_checks:
        moves.append(Check(phase="before"))
    if not spec.auto_promotion_enabled:
        moves.append(Pause())
    elif spec.auto_promotion_seconds:
        moves.append(Pause(seconds=spec.auto_promotion_seconds))
    if preview != world.replicas:
        moves.append(Ensure(track="candidate", replicas=world.replicas))
    return moves


def _after(spec: BlueGreenSpec) -> list[Move]:
    moves: list[Move] = []
    if spec.post_promotion_checks:
        moves.append(Check(phase="after"))
    if spec.analysis and spec.post_promotion_analysis:
        moves.append(Analyse(count=spec.analysis.count))
    return [*moves, Promote(), Linger(seconds=spec.scale_down_delay), Retire(track="stable")]
