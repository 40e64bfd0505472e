"""Rollouts drawn by hypothesis, and a driver that makes their moves as the workflow does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypothesis import strategies as st

from pipelines.rollouts import Move, State, World, plan
from pipelines.rollouts.base import begun, succeeded
from pipelines.spec.analysis import AnalysisSpec, MetricSpec
from pipelines.spec.release import CheckSpec
from pipelines.spec.rollout import BlueGreenSpec, CanarySpec, CanaryStep, PauseSpec, RollingSpec

Spec = CanarySpec | BlueGreenSpec | RollingSpec

ANALYSIS = AnalysisSpec(metrics=[MetricSpec(name="errors", builtin="error-rate", success_max=0.01)], count=3)
_CHECKS = st.sampled_from([[], [CheckSpec(name="ready", path="/")]])
_ANALYSES = st.sampled_from([None, ANALYSIS])


@st.composite
def canaries(draw: st.DrawFn) -> CanarySpec:
    analysis = draw(_ANALYSES)
    weights = sorted(draw(st.lists(st.integers(0, 100), max_size=4)))
    between = st.sampled_from(["nothing", "pause", "wait", *(["analysis"] if analysis else [])])
    steps = [CanaryStep(pause=PauseSpec(duration=1))] if draw(st.booleans()) else []
    for weight in weights:
        steps.append(CanaryStep(set_weight=weight))
        steps.extend(_between(draw(between)))
    return CanarySpec(steps=steps or [CanaryStep(set_weight=50)], analysis=analysis)


def _between(kind: str) -> list[CanaryStep]:
    made = {
        "pause": CanaryStep(pause=PauseSpec()),
        "wait": CanaryStep(pause=PauseSpec(duration=1)),
        "analysis": CanaryStep(analysis=True),
    }
    return [made[kind]] if kind in made else []


def blue_greens() -> st.SearchStrategy[BlueGreenSpec]:
    return st.builds(
        BlueGreenSpec,
        analysis=_ANALYSES,
        auto_promotion_enabled=st.booleans(),
        auto_promotion_seconds=st.sampled_from([0.0, 5.0]),
        preview_replicas=st.one_of(st.none(), st.integers(1, 3)),
        pre_promotion_checks=_CHECKS,
        post_promotion_checks=_CHECKS,
        post_promotion_analysis=st.booleans(),
    )


def rollings() -> st.SearchStrategy[RollingSpec]:
    sizes = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any)
    return st.builds(
        lambda size, analysis: RollingSpec(max_surge=size[0], max_unavailable=size[1], analysis=analysis), sizes, _ANALYSES
    )


def specs() -> st.SearchStrategy[Spec]:
    return st.one_of(canaries(), blue_greens(), rollings())


def worlds(has_stable: bool | None = None) -> st.SearchStrategy[World]:
    """What a rollout finds: maybe a stable release with all its replicas, nothing of the candidate."""

    def made(replicas: int, stable: int, there: bool) -> World:
        stable = stable if there else 0
        return World(replicas=replicas, has_stable=there, stable_replicas=stable, stable=stable)

    there = st.booleans() if has_stable is None else st.just(has_stable)
    return st.builds(made, st.integers(1, 6), st.integers(1, 6), there)


def fresh(world: World) -> State:
    return State(start=world, world=world)


def drive(spec: Spec, state: State, fast: bool = False, most: int = 200) -> Iterator[tuple[Move, State]]:
    """Every move with the state after it, until the rollout is over."""
    for _ in range(most):
        left = plan(spec, state, fast)
        if not left:
            return
        state = succeeded(begun(state, left[0]), left[0])
        yield left[0].move, state
    raise AssertionError(f"not over after {most} moves")


def end(spec: Spec, state: State, fast: bool = False) -> State:
    return [state, *(after for _, after in drive(spec, state, fast))][-1]


def stops(spec: Spec, world: World, fast: bool = False) -> list[State]:
    """Every state in which a rollout can be interrupted: between moves, and with a move begun but not finished."""
    state, found = fresh(world), [fresh(world)]
    while left := plan(spec, state, fast):
        found.append(begun(state, left[0]))
        state = succeeded(begun(state, left[0]), left[0])
        found.append(state)
    return found


def moves(spec: Spec, world: World, fast: bool = False) -> list[Move]:
    return [move for move, _ in drive(spec, fresh(world), fast)]


def index_of(found: list[Move], wanted: Callable[[Move], bool]) -> int:
    """Of the first move that is wanted; after the end when there is none."""
    return next((index for index, move in enumerate(found) if wanted(move)), len(found))
