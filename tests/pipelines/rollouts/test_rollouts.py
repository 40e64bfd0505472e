"""What holds for every strategy, from every state: it ends at all or at nothing, and the way back is always there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.rollouts import State, World, forward, plan
from pipelines.rollouts.base import (
    Analyse,
    Check,
    Ensure,
    Linger,
    Pause,
    Planned,
    Preview,
    Promote,
    Retire,
    Weight,
    begun,
    held,
    point_of_no_return,
    promoted_fully,
    succeeded,
    turned_back,
)
from pipelines.spec.rollout import CanarySpec, CanaryStep
from tests.support.rollouts import Spec, drive, end, fresh, moves, specs, stops, worlds

_ANY = st.tuples(specs(), worlds(), st.booleans())


@given(_ANY)
def test_a_rollout_that_nothing_stops_ends_with_the_candidate_alone(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    last = end(spec, fresh(world), fast).world
    assert (last.weight, last.promoted, last.preview, last.candidate) == (100, True, False, world.replicas)
    assert last.stable == 0
    assert last.stable_gone is world.has_stable


@given(_ANY)
def test_traffic_only_moves_towards_the_candidate(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    weights = [move.candidate for move in moves(spec, world, fast) if isinstance(move, Weight)]
    assert weights == sorted(set(weights))
    assert weights[-1] == 100


@given(_ANY)
def test_no_request_is_sent_to_a_release_that_does_not_run(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    for _, state in drive(spec, fresh(world), fast):
        assert state.world.weight == 0 or state.world.candidate > 0
        assert state.world.weight == 100 or state.world.stable > 0 or not world.has_stable


@given(_ANY)
def test_the_old_release_goes_last_and_only_after_promotion(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    found = moves(spec, world, fast)
    assert found.count(Promote()) == 1
    retired = [index for index, move in enumerate(found) if isinstance(move, Retire)]
    assert retired == ([len(found) - 1] if world.has_stable else [])
    if world.has_stable:
        assert isinstance(found[-2], Linger)
        assert found.index(Promote()) == len(found) - 3


@given(_ANY)
def test_the_way_back_exists_in_every_state(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    for state in stops(spec, world, fast):
        last = end(spec, turned_back(state, "because"), fast).world
        assert (last.weight, last.preview) == (0, False)
        assert last.candidate == 0
        assert last.candidate_gone or not state.world.touched
        assert last.stable == world.stable_replicas


@given(_ANY)
def test_on_the_way_back_traffic_goes_first(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    for state in stops(spec, world, fast):
        back = [move for move, _ in drive(spec, turned_back(state, "because"), fast)]
        assert not any(isinstance(move, Pause | Analyse | Check | Promote | Linger) for move in back)
        if state.world.weight == 0:
            assert Weight(candidate=0) not in back
            continue
        first = back.index(Weight(candidate=0))
        assert first == 0 or (
            state.world.stable == 0 and back[:first] == [Ensure(track="stable", replicas=world.stable_replicas)]
        )
        if state.world.touched:
            assert back[-1] == Retire(track="candidate")


@given(_ANY)
def test_traffic_that_may_have_moved_already_is_taken_back(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    state = fresh(world)
    while left := plan(spec, state, fast):
        half_made = turned_back(begun(state, left[0]), "because")
        back = [move for move, _ in drive(spec, half_made, fast)]
        assert (Weight(candidate=0) in back) is (state.world.weight > 0 or isinstance(left[0].move, Weight))
        assert len(back) == len(set(back))
        state = succeeded(begun(state, left[0]), left[0])


@given(_ANY, st.data())
def test_a_way_back_that_is_interrupted_goes_on(drawn: tuple[Spec, World, bool], data: st.DataObject) -> None:
    spec, world, fast = drawn
    state = turned_back(data.draw(st.sampled_from(stops(spec, world, fast))), "because")
    whole = end(spec, state, fast).world
    for _, partly in drive(spec, state, fast):
        left = plan(spec, partly, fast)
        again = begun(partly, left[0]) if left else partly
        assert end(spec, again, fast).world == whole
    assert plan(spec, end(spec, state, fast), fast) == []


@given(_ANY)
def test_full_promotion_works_from_every_state(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    for state in stops(spec, world, fast):
        last = end(spec, promoted_fully(state), fast)
        assert (last.world.weight, last.world.promoted, last.world.candidate) == (100, True, world.replicas)
        rest = [planned.move for planned in plan(spec, promoted_fully(state), fast)]
        assert not any(isinstance(move, Pause | Analyse | Check) for move in rest)


@given(_ANY)
def test_full_promotion_can_still_be_turned_back(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    for state in stops(spec, world, fast):
        for _, partly in drive(spec, promoted_fully(state), fast):
            last = end(spec, turned_back(partly, "because"), fast).world
            assert (last.weight, last.stable) == (0, world.stable_replicas)


@given(_ANY)
def test_what_was_done_is_not_done_again(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    whole = forward(spec, world, fast)
    state = fresh(world)
    for done, move in enumerate(whole):
        left = plan(spec, state, fast)
        assert [planned.move for planned in left] == list(whole[done:])
        assert (left[0].move, left[0].index) == (move, done)
        state = State.model_validate_json(succeeded(begun(state, left[0]), left[0]).model_dump_json())
    assert plan(spec, state, fast) == []


@given(_ANY)
def test_an_inconclusive_analysis_waits_for_people_and_goes_on(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    state = fresh(world)
    for planned in plan(spec, state, fast):
        if isinstance(planned.move, Analyse):
            waiting = held(state, planned, "too few requests")
            first, *rest = plan(spec, waiting, fast)
            assert first == Planned(move=Pause(why="too few requests"))
            after = succeeded(waiting, first)
            assert plan(spec, after, fast) == rest
            assert all(later.index is not None and later.index > (planned.index or 0) for later in rest)
            assert end(spec, after, fast).world.promoted
        state = succeeded(begun(state, planned), planned)


def test_a_background_hold_stops_before_the_next_move() -> None:
    spec = CanarySpec(steps=[CanaryStep(set_weight=10)])
    world = World(replicas=2, has_stable=True, stable=2, stable_replicas=2)
    waiting = held(fresh(world), None, "no data")
    assert waiting.done == 0
    assert [planned.index for planned in plan(spec, waiting)][:2] == [None, 0]
    assert plan(spec, turned_back(waiting, "because")) == []


@given(_ANY)
def test_the_first_reason_of_a_way_back_stays(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    for state in stops(spec, world, fast):
        back = turned_back(held(state, None, "unsure"), "first")
        assert (back.reason, back.intent, back.hold) == ("first", "rollback", "")
        assert turned_back(back, "second") is back


@given(_ANY)
def test_there_is_no_return_once_the_old_release_goes(drawn: tuple[Spec, World, bool]) -> None:
    spec, world, fast = drawn
    state = fresh(world)
    while left := plan(spec, state, fast):
        removing = left[0].move == Retire(track="stable")
        promoted_alone = state.world.promoted and not world.has_stable
        assert point_of_no_return(state, left[0]) is (removing or promoted_alone)
        state = succeeded(begun(state, left[0]), left[0])
    assert point_of_no_return(state, None)


@given(specs(), worlds(has_stable=False), st.booleans())
def test_a_first_release_has_nobody_to_protect(spec: Spec, world: World, fast: bool) -> None:
    assert moves(spec, world, fast) == [Ensure(track="candidate", replicas=world.replicas), Weight(candidate=100), Promote()]


def test_every_move_says_what_it_does() -> None:
    words = {
        Ensure(track="candidate", replicas=1): "bring the candidate to 1 replica",
        Ensure(track="stable", replicas=2): "bring the stable to 2 replicas",
        Weight(candidate=5): "send 5 % of the traffic to the candidate",
        Preview(on=True): "open the preview address",
        Preview(on=False): "close the preview address",
        Check(phase="before"): "run the checks before the switch",
        Pause(seconds=1.5): "wait 1.5 s",
        Pause(): "wait for approval",
        Pause(why="unsure"): "wait for approval: unsure",
        Analyse(count=1): "analyse 1 measurement",
        Analyse(count=2): "analyse 2 measurements",
        Promote(): "make the candidate the stable release",
        Linger(seconds=30): "keep the old release for 30 s",
        Retire(track="stable"): "drain and remove the old release",
        Retire(track="candidate"): "drain and remove the candidate",
    }
    assert {move.words(): move.words() for move in words} == {text: text for text in words.values()}
