"""What people ask of a rollout: approve, pause, resume, promote --full, abort; and what is refused in which state."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from pipelines.messages.runs import Abort, Approve, Pause, Promote, Resume
from pipelines.ports import AUDIT, ENSURE_RELEASE, MEASURE, RETIRE_RELEASE, ROUTE
from tests.support.fakes import Gate, World, waits
from tests.support.rollout_play import ANALYSIS, Play, canary, spec

LONG = {"pause": {"duration": "1h"}}


async def test_paused_it_stays_where_it_is_until_resumed(world: World) -> None:
    gate = Gate()
    world.plan(ENSURE_RELEASE, f"new-{world.service}", waits(gate))
    play = await Play(world, canary({"setWeight": 20}, {"setWeight": 60})).start()
    await world.until(lambda: gate.waiting == 1)
    answer = await play.ask(Pause(actor="ann", reason="lunch"))
    assert answer == "pauses after 'bring the candidate to 1 replica', at 0 % on the candidate"
    gate.open()
    view = await play.until(lambda view: world.cluster.replicas.get(play.candidate.id) == 1)
    assert (view.status, view.waiting_for) == ("paused", "'resume' (paused by ann)")
    assert play.shares() == []
    assert await play.ask(Resume(actor="bob")) == "resumed; next: send 20 % of the traffic to the candidate"
    assert (await play.end()).status == "promoted"
    assert world.actions()[1:3] == ["rollout.paused", "rollout.resumed"]


async def test_paused_and_aborted(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, LONG)).start()
    await play.until_weight(20)
    await play.ask(Pause(actor="ann"))
    await play.ask(Abort(actor="ann", reason="no"))
    result = await play.end()
    assert (result.status, result.reason) == ("aborted", "no")
    assert play.shares() == [20, 0]


async def test_promoted_fully_from_a_pause(world: World) -> None:
    steps = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, LONG, {"analysis": True}]
    play = await Play(world, canary(*steps, analysis=ANALYSIS | {"background": False}), replicas=5).start()
    await play.until_asked(20)
    assert await play.ask(Promote(actor="ann", full=True)) == "promoting fully: all traffic goes to the candidate now"
    result = await play.end()
    assert result.status == "promoted"
    assert play.shares() == [20, 100]
    assert play.measured() == 0
    assert world.entry("rollout.promote").evidence == {"full": "True", "weight": "20"}


async def test_promoted_fully_while_it_is_paused(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, LONG)).start()
    await play.until_weight(20)
    await play.ask(Pause(actor="ann"))
    await play.ask(Promote(actor="bob", full=True))
    assert (await play.end()).status == "promoted"


async def test_promoting_fully_interrupts_a_measurement(world: World) -> None:
    gate = Gate()
    world.always(MEASURE, "*", waits(gate))
    play = await Play(world, canary({"setWeight": 20}, {"analysis": True}, analysis=ANALYSIS | {"background": False})).start()
    await world.until(lambda: gate.waiting == 1)
    await play.ask(Promote(actor="ann", full=True))
    assert (await play.end()).status == "promoted"
    gate.open()


async def test_what_promoting_interrupts_has_stopped_before_replicas_are_changed(world: World) -> None:
    """Otherwise the replicas of a step could be set after those of the end."""
    gate = Gate()
    world.plan(ENSURE_RELEASE, f"new-{world.service}", waits(gate))
    play = await Play(world, canary({"setWeight": 20}), replicas=5).start()
    await world.until(lambda: gate.waiting == 1)
    await play.ask(Promote(actor="ann", full=True))
    assert (await play.end()).status == "promoted"
    first, second = world.of(ENSURE_RELEASE, play.candidate.id)[:2]
    assert first.outcome == "cancelled"
    assert first.ended is not None and first.ended < second.started
    assert world.cluster.replicas[play.candidate.id] == 5


async def test_aborted_while_replicas_start(world: World) -> None:
    gate = Gate()
    world.plan(ENSURE_RELEASE, f"new-{world.service}", waits(gate))
    play = await Play(world).start()
    await world.until(lambda: gate.waiting == 1)
    assert (await play.ask(Abort(actor="ann"))).startswith("aborting: traffic goes back")
    result = await play.end()
    assert (result.status, result.reason) == ("aborted", "aborted by ann")
    assert world.order(RETIRE_RELEASE) == [play.candidate.id]
    assert world.of(ENSURE_RELEASE)[0].outcome == "cancelled"
    assert play.shares() == []


async def test_aborted_while_traffic_is_moved(world: World) -> None:
    """Half of it may have been done: the traffic is taken away at once, by a newer revision."""
    gate = Gate()
    world.plan(ROUTE, f"new-{world.service}=20,old-{world.service}=80", waits(gate))
    play = await Play(world).start()
    await world.until(lambda: gate.waiting == 1)
    await play.ask(Abort(actor="ann"))
    await play.end()
    first, second = world.of(ROUTE)
    assert second.arg.weights == {f"old-{world.service}": 100}
    assert second.arg.revision > first.arg.revision


async def test_aborted_while_the_old_release_is_kept(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, scaleDownDelay="1h")).start()
    view = await play.until(lambda view: view.move == "keep the old release for 3600 s")
    assert (view.weight, view.status) == (100, "progressing")
    await play.ask(Abort(actor="ann"))
    result = await play.end()
    assert (result.status, result.stable_id) == ("aborted", f"old-{world.service}")
    assert world.deployments[0].status == "aborted"


async def test_the_wait_before_the_old_release_goes_can_be_ended(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, scaleDownDelay="1h")).start()
    await play.until(lambda view: view.move == "keep the old release for 3600 s")
    await play.ask(Promote(actor="ann"))
    assert (await play.end()).status == "promoted"


async def test_rejected(world: World) -> None:
    play = await Play(world).start()
    await play.until_asked()
    assert (
        await play.ask(Approve(actor="ann", approved=False, reason="ugly")) == "rejected; traffic goes back to the stable release"
    )
    result = await play.end()
    assert (result.status, result.reason) == ("aborted", "rejected by ann: ugly")


async def test_two_people_must_approve_and_the_author_is_not_one(world: World) -> None:
    approval = {"count": 2, "not_author": True, "approvers": ["ann", "bob", "eve"]}
    play = await Play(world, canary({"setWeight": 20}, {"pause": {}}, approval=approval)).start(author="eve")
    await play.until_asked()
    assert "author" in await play.refused(Approve(actor="eve"))
    assert "may not approve" in await play.refused(Approve(actor="mallory"))
    assert await play.ask(Approve(actor="ann")) == "approved; 1 more needed"
    assert "has approved already" in await play.refused(Approve(actor="ann"))
    assert (await play.view()).approvals == ["ann"]
    await play.ask(Approve(actor="bob"))
    assert (await play.end()).status == "promoted"


async def test_who_may_not_approve_may_not_skip_the_approval(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, {"pause": {}}, approval={"approvers": ["ann"]})).start()
    await play.until_asked()
    assert "may not approve" in await play.refused(Promote(actor="mallory"))
    assert "may not approve" in await play.refused(Promote(actor="mallory", full=True))
    await play.ask(Approve(actor="ann"))
    await play.end()


async def test_an_approval_to_come_may_not_be_skipped_either(world: World) -> None:
    gate = Gate()
    world.plan(ENSURE_RELEASE, "*", waits(gate))
    play = await Play(world, canary({"setWeight": 20}, {"pause": {}}, approval={"approvers": ["ann"]})).start()
    await world.until(lambda: gate.waiting == 1)
    assert "may not approve" in await play.refused(Promote(actor="mallory", full=True))
    await play.ask(Promote(actor="ann", full=True))
    gate.open()
    assert (await play.end()).status == "promoted"


async def test_one_person_may_not_skip_the_approval_of_two(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, {"pause": {}}, approval={"count": 2})).start()
    await play.until_asked()
    assert "1 more needed" in await play.refused(Promote(actor="ann", full=True))
    await play.ask(Approve(actor="ann"))
    assert "1 more needed" in await play.refused(Promote(actor="ann"))
    await play.ask(Promote(actor="bob"))
    assert (await play.end()).status == "promoted"


async def test_approvals_of_one_pause_do_not_count_for_the_next(world: World) -> None:
    approval = {"count": 2}
    steps = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]
    play = await Play(world, canary(*steps, approval=approval)).start()
    for weight in (20, 60):
        await play.until_asked(weight)
        assert (await play.view()).approvals == []
        for actor in ("ann", "bob"):
            await play.ask(Approve(actor=actor))
    assert (await play.end()).status == "promoted"


@pytest.mark.parametrize(("action", "status", "shares"), [("abort", "aborted", [20, 0]), ("promote", "promoted", [20, 60, 100])])
async def test_nobody_approves_in_time(world: World, action: str, status: str, shares: list[int]) -> None:
    more = {"approval": {"timeout": "200ms"}, "approvalTimeoutAction": action}
    play = await Play(world, canary(**more)).start()
    result = await play.end()
    assert (result.status, play.shares()) == (status, shares)
    told = world.entry("rollout.turned-back" if action == "abort" else "rollout.approved")
    assert "nobody approved within 0.2 s" in told.reason


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (Approve(actor="ann"), "nothing to approve: the rollout is at 'wait 3600 s'"),
        (Resume(actor="ann"), "it is not paused"),
    ],
)
async def test_refused_in_a_timed_pause(world: World, what: BaseModel, words: str) -> None:
    play = await Play(world, canary({"setWeight": 20}, LONG)).start()
    await play.until(lambda view: view.move == "wait 3600 s")
    assert words in await play.refused(what)
    await play.ask(Abort(actor="ann"))
    await play.end()


async def test_refused_while_it_is_paused(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, LONG)).start()
    await play.until_weight(20)
    await play.ask(Pause(actor="ann"))
    assert await play.refused(Pause(actor="bob")) == "already paused by ann"
    await play.ask(Promote(actor="ann", full=True))
    await play.end()


async def test_refused_while_replicas_start(world: World) -> None:
    gate = Gate()
    world.plan(ENSURE_RELEASE, "*", waits(gate))
    play = await Play(world).start()
    await world.until(lambda: gate.waiting == 1)
    assert "no pause to skip" in await play.refused(Promote(actor="ann"))
    assert "nothing to approve" in await play.refused(Approve(actor="ann"))
    gate.open()
    await play.until_asked()
    await play.ask(Approve(actor="ann"))
    await play.end()


async def test_refused_on_the_way_back(world: World) -> None:
    gate = Gate()
    world.plan(RETIRE_RELEASE, "*", waits(gate))
    play = await Play(world).start()
    await play.until_asked()
    await play.ask(Abort(actor="ann", reason="no"))
    await world.until(lambda: gate.waiting == 1)
    assert (await play.view()).status == "rolling-back"
    assert await play.refused(Abort(actor="bob")) == "already going back: no"
    for what in (Pause(actor="bob"), Promote(actor="bob", full=True), Promote(actor="bob")):
        assert await play.refused(what) == "the rollout is going back: no"
    assert "nothing to approve" in await play.refused(Approve(actor="bob"))
    gate.open()
    assert (await play.end()).reason == "no"


async def test_refused_while_the_old_release_is_removed(world: World) -> None:
    gate = Gate()
    world.plan(RETIRE_RELEASE, "*", waits(gate))
    play = await Play(world, canary({"setWeight": 20})).start()
    await world.until(lambda: gate.waiting == 1)
    assert "too late to abort" in await play.refused(Abort(actor="ann"))
    await play.handle.signal("abort_request", Abort(actor="ann"))
    gate.open()
    assert (await play.end()).status == "promoted"


async def test_refused_while_promoting_fully(world: World) -> None:
    gate = Gate()
    world.plan(ROUTE, f"new-{world.service}=100", waits(gate))
    play = await Play(world).start()
    await play.until_asked()
    await play.ask(Promote(actor="ann", full=True))
    await world.until(lambda: gate.waiting == 1)
    assert "being promoted fully already" in await play.refused(Promote(actor="ann", full=True))
    assert "being promoted fully already" in await play.refused(Pause(actor="ann"))
    await play.ask(Abort(actor="ann"))
    assert (await play.end()).status == "aborted"


async def test_refused_when_it_is_over(world: World) -> None:
    """Its last records are still being written."""
    gate = Gate()
    play = await Play(world, spec("rolling")).start()
    world.plan(AUDIT, "rollout.ended", waits(gate))
    await world.until(lambda: gate.waiting == 1)
    assert await play.refused(Promote(actor="ann", full=True)) == "the rollout is over: promoted"
    assert await play.refused(Pause(actor="ann")) == "the rollout is over: promoted"
    gate.open()
    await play.end()
