"""The way back: whatever happens, traffic returns to stable first, and nothing keeps it from doing so."""

from __future__ import annotations

import time

import pytest

from pipelines.errors import Conflict, NotFound, ReleaseUnhealthy, Unavailable
from pipelines.messages.runs import Abort, Approve
from pipelines.ports import AUDIT, ENSURE_RELEASE, RETIRE_RELEASE, ROUTE, WATCH_RELEASE
from tests.support.fakes import Gate, World, breaks, passes, raises, times, waits
from tests.support.rollout_play import Play, canary, spec

pytestmark = pytest.mark.server


def to_stable(world: World) -> str:
    """Key of the call that sends all traffic back."""
    return f"old-{world.service}=100"


async def test_a_candidate_that_crashes_at_20_percent(world: World) -> None:
    play = await Play(world).start()
    await play.until_asked(20)
    world.cluster.crash(play.candidate.id, "exit status 137")
    result = await play.end()
    assert result.status == "rolled-back"
    assert result.reason == f"the candidate broke: replica {play.candidate.id}-0 crashed: exit status 137"
    assert world.entry("rollout.turned-back").evidence == {"cause": "health", "weight": "20"}
    assert world.order(RETIRE_RELEASE) == [play.candidate.id]


async def test_a_candidate_that_crashes_after_the_switch(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, scaleDownDelay="1h")).start()
    await play.until(lambda view: view.move == "keep the old release for 3600 s")
    world.cluster.crash(play.candidate.id)
    assert (await play.end()).stable_id == f"old-{world.service}"


async def test_a_candidate_that_vanishes(world: World) -> None:
    play = await Play(world).start()
    await play.until_asked(20)
    world.cluster.broken[play.candidate.id] = "gone"
    world.cluster.replicas[play.candidate.id] = 0
    result = await play.handle.result()
    assert result.reason == "the candidate broke: it does not run any more"


async def test_a_candidate_that_nobody_can_watch(world: World) -> None:
    world.plan(WATCH_RELEASE, "*", raises(NotFound("no such target")))
    play = await Play(world).start()
    result = await play.end()
    assert (result.status, result.reason) == ("rolled-back", "the candidate could not be watched: no such target")


async def test_a_watch_that_is_lost_is_taken_up_again(world: World) -> None:
    world.plan(WATCH_RELEASE, "*", times(2, raises(Unavailable("its worker was killed"))))
    play = await Play(world).start()
    await play.until_asked(20)
    await world.until(lambda: world.count(WATCH_RELEASE) == 3)
    world.cluster.crash(play.candidate.id)
    assert (await play.end()).status == "rolled-back"


@pytest.mark.parametrize("weight", [0, 20, 100])
async def test_replicas_that_do_not_become_ready(world: World, weight: int) -> None:
    first = [{"setWeight": weight}] if weight else []
    play = Play(world, canary(*first, {"setWeight": 100}) if weight != 100 else spec("rolling"), replicas=5)
    if weight == 100:
        play.replicas = 2
    world.plan(ENSURE_RELEASE, play.candidate.id, *([passes] if weight else []), raises(ReleaseUnhealthy("crash loop")))
    await play.start()
    result = await play.end()
    assert (result.status, result.stable_id) == ("rolled-back", f"old-{world.service}")
    assert result.reason.endswith(": crash loop")


async def test_traffic_that_cannot_be_moved(world: World) -> None:
    world.plan(ROUTE, f"new-{world.service}=20,old-{world.service}=80", breaks(Conflict("somebody else's")))
    play = await Play(world).start()
    result = await play.end()
    assert result.reason == "could not send 20 % of the traffic to the candidate: somebody else's"
    assert play.weights() == {f"old-{world.service}": 100}


async def test_infrastructure_that_comes_back_turns_nothing_back(world: World) -> None:
    down = times(2, raises(Unavailable("not now")))
    world.plan(ENSURE_RELEASE, "*", down)
    world.plan(ROUTE, "*", down)
    world.plan(RETIRE_RELEASE, "*", down)
    play = await Play(world, canary({"setWeight": 50})).start()
    assert (await play.end()).status == "promoted"


async def test_the_deadline(world: World) -> None:
    gate = Gate()
    world.always(ENSURE_RELEASE, f"new-{world.service}", waits(gate))
    play = await Play(world, canary({"setWeight": 20}, deadline="300ms")).start()
    result = await play.end()
    assert (result.status, result.reason) == (
        "rolled-back",
        "the deadline of 0.3 s passed while it tried to bring the candidate to 1 replica",
    )


async def test_pauses_do_not_count_against_the_deadline(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, {"pause": {"duration": "1100ms"}}, deadline="1s")).start()
    assert (await play.end()).status == "promoted"


async def test_the_deadline_does_not_disturb_the_removal_of_the_old_release(world: World) -> None:
    gate = Gate()
    world.plan(RETIRE_RELEASE, "*", waits(gate))
    play = await Play(world, canary({"setWeight": 20}, deadline="1500ms")).start()
    await world.until(lambda: gate.waiting == 1)
    view = await play.until(lambda view: view.move == "drain and remove the old release")
    started = view.weights[0].at
    await world.until(lambda: time.time() > started + 1.7)
    assert world.count(RETIRE_RELEASE) == 1
    gate.open()
    assert (await play.end()).status == "promoted"


@pytest.mark.parametrize("reason", ["", "the run was stopped"])
async def test_cancelled_as_aborted(world: World, reason: str) -> None:
    play = await Play(world).start()
    await play.until_asked(20)
    await play.handle.cancel(reason=reason)
    result = await play.end()
    assert (result.status, result.reason) == ("aborted", f"the rollout was cancelled {reason}".strip())
    assert play.shares() == [20, 0]
    assert world.entry("rollout.turned-back").evidence["cause"] == "cancellation"


async def test_the_way_back_cannot_be_cancelled(world: World) -> None:
    gate = Gate()
    world.plan(ROUTE, to_stable(world), waits(gate))
    play = await Play(world).start()
    await play.until_asked(20)
    await play.ask(Abort(actor="ann", reason="no"))
    await world.until(lambda: gate.waiting == 1)
    await play.handle.cancel()
    gate.open()
    result = await play.end()
    assert (result.status, result.reason) == ("aborted", "no")
    assert world.of(ROUTE, to_stable(world))[0].outcome == "done"
    assert world.order(RETIRE_RELEASE) == [play.candidate.id]


async def test_cancelled_when_the_old_release_is_being_removed(world: World) -> None:
    gate = Gate()
    world.plan(RETIRE_RELEASE, "*", waits(gate))
    play = await Play(world, canary({"setWeight": 20})).start()
    await world.until(lambda: gate.waiting == 1)
    await play.handle.cancel()
    gate.open()
    assert (await play.end()).status == "promoted"


async def test_the_way_back_is_tried_until_it_works(world: World) -> None:
    """The router is away, then says no: traffic is moved as soon as it can be."""
    world.plan(ROUTE, to_stable(world), times(2, raises(Unavailable("away"))), times(3, raises(Conflict("no"))))
    world.plan(RETIRE_RELEASE, "*", times(2, breaks(Unavailable("killed"))))
    play = await Play(world).start()
    await play.until_asked(20)
    await play.ask(Abort(actor="ann"))
    assert (await play.end(30)).status == "aborted"
    assert world.count(ROUTE, to_stable(world)) == 6
    assert world.entry("rollout.hard").reason.endswith("could not send 0 % of the traffic to the candidate: no")
    assert any("going back is not working yet" in note.title for note in world.told)


async def test_a_candidate_that_got_traffic_by_hand_is_removed_all_the_same(world: World) -> None:
    world.plan(RETIRE_RELEASE, "*", raises(Conflict("still gets 5 % of the traffic")))
    play = await Play(world).start()
    await play.until_asked(20)
    await play.ask(Abort(actor="ann"))
    await play.end()
    assert play.shares() == [20, 0, 0]
    assert [call.outcome for call in world.of(RETIRE_RELEASE)] == ["Conflict", "done"]


async def test_what_is_left_of_the_old_release_does_not_hold_the_environment_up(world: World) -> None:
    world.always(RETIRE_RELEASE, "*", raises(Conflict("still gets 5 % of the traffic")))
    play = await Play(world, canary({"setWeight": 20})).start()
    assert (await play.end()).status == "promoted"
    assert world.count(RETIRE_RELEASE) == 3
    await world.until(lambda: any("something is left of the old release" in note.title for note in world.told))


async def test_what_was_interrupted_has_stopped_before_the_candidate_is_removed(world: World) -> None:
    gate = Gate()
    world.plan(ENSURE_RELEASE, "*", waits(gate))
    play = await Play(world).start()
    await world.until(lambda: gate.waiting == 1)
    await play.ask(Abort(actor="ann"))
    await play.end()
    [start], [removal] = world.of(ENSURE_RELEASE), world.of(RETIRE_RELEASE)
    assert start.ended is not None and start.ended < removal.started
    assert world.of(WATCH_RELEASE) == []


async def test_records_that_cannot_be_written_hold_nothing_up(world: World) -> None:
    """The way back does not wait for the audit trail; the end does, so that nothing of it is lost."""
    gate = Gate()
    play = await Play(world).start()
    await play.until_asked(20)
    world.always(AUDIT, "*", waits(gate))
    await play.ask(Abort(actor="ann"))
    await world.until(lambda: world.count(RETIRE_RELEASE) == 1)
    assert play.weights() == {f"old-{world.service}": 100}
    gate.open()
    await play.end()
    assert world.actions() == ["rollout.started", "rollout.turned-back", "rollout.ended"]


async def test_an_abort_request_of_another_workflow(world: World) -> None:
    play = await Play(world).start()
    await play.until_asked(20)
    await play.handle.signal("abort_request", Abort(actor="environment", reason="superseded by newer"))
    result = await play.end()
    assert (result.status, result.reason) == ("superseded", "superseded by newer")


async def test_approved_and_aborted_at_once(world: World) -> None:
    """An abort is never forgotten, whatever else is said with it."""
    play = await Play(world).start()
    await play.until_asked(20)
    await play.ask(Approve(actor="ann"))
    await play.ask(Abort(actor="bob"))
    assert (await play.end()).status == "aborted"
