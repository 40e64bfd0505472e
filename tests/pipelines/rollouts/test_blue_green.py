"""Blue-green: looked at beside stable, then all traffic at once."""

from __future__ import annotations

from hypothesis import given

from pipelines.rollouts import World
from pipelines.rollouts.base import Analyse, Check, Ensure, Linger, Pause, Preview, Promote, Retire, Weight, turned_back
from pipelines.spec.release import CheckSpec
from pipelines.spec.rollout import BlueGreenSpec
from tests.support.rollouts import ANALYSIS, blue_greens, drive, end, fresh, moves, stops, worlds

_WORLD = World(replicas=3, has_stable=True, stable=2, stable_replicas=2)
_CHECK = [CheckSpec(name="ready", path="/")]


def _up(replicas: int) -> Ensure:
    return Ensure(track="candidate", replicas=replicas)


def test_the_shortest_way() -> None:
    assert moves(BlueGreenSpec(), _WORLD) == [
        _up(3),
        Preview(on=True),
        Weight(candidate=100),
        Preview(on=False),
        Promote(),
        Linger(seconds=30.0),
        Retire(track="stable"),
    ]


def test_all_that_it_can_do() -> None:
    spec = BlueGreenSpec(
        preview_replicas=1,
        pre_promotion_checks=_CHECK,
        post_promotion_checks=_CHECK,
        auto_promotion_enabled=False,
        analysis=ANALYSIS,
        scale_down_delay=7,
    )
    assert moves(spec, _WORLD) == [
        _up(1),
        Preview(on=True),
        Check(phase="before"),
        Pause(),
        _up(3),
        Weight(candidate=100),
        Preview(on=False),
        Check(phase="after"),
        Analyse(count=3),
        Promote(),
        Linger(seconds=7),
        Retire(track="stable"),
    ]


def test_promotion_after_a_while() -> None:
    assert Pause(seconds=20) in moves(BlueGreenSpec(auto_promotion_seconds=20), _WORLD)
    assert Pause(seconds=20) not in moves(BlueGreenSpec(auto_promotion_seconds=20, auto_promotion_enabled=False), _WORLD)


def test_analysis_after_the_switch_can_be_left_out() -> None:
    assert Analyse(count=3) not in moves(BlueGreenSpec(analysis=ANALYSIS, post_promotion_analysis=False), _WORLD)


@given(blue_greens(), worlds(has_stable=True))
def test_traffic_moves_all_at_once_with_all_replicas_there(spec: BlueGreenSpec, world: World) -> None:
    weights = []
    for move, state in drive(spec, fresh(world)):
        if isinstance(move, Weight):
            weights.append(move.candidate)
            assert (state.world.candidate, state.world.stable) == (world.replicas, world.stable_replicas)
    assert weights == [100]


@given(blue_greens(), worlds(has_stable=True))
def test_people_look_before_the_switch(spec: BlueGreenSpec, world: World) -> None:
    found = moves(spec, world)
    switch = found.index(Weight(candidate=100))
    assert Preview(on=True) in found[:switch]
    assert not any(isinstance(move, Pause) or move == Check(phase="before") for move in found[switch:])
    assert not any(move == Check(phase="after") or isinstance(move, Analyse) for move in found[:switch])
    assert any(isinstance(move, Pause) for move in found) is (not spec.auto_promotion_enabled or spec.auto_promotion_seconds > 0)


@given(blue_greens(), worlds(has_stable=True))
def test_while_the_old_release_is_kept_the_way_back_is_one_switch(spec: BlueGreenSpec, world: World) -> None:
    for state in stops(spec, world):
        if state.world.weight == 100 and state.world.stable:
            back = [move for move, _ in drive(spec, turned_back(state, "because"))]
            assert back[0] == Weight(candidate=0)
            assert not any(isinstance(move, Ensure) for move in back)
            assert end(spec, turned_back(state, "because")).world.stable == world.stable_replicas
