"""Scenarios of RolloutWorkflow at its edges: in the middle of a move, at the last moment, and when helpers fail."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowHandle

from pipelines.errors import Conflict, ReleaseUnhealthy
from pipelines.messages.runs import Abort, Pause, Promote, Resume
from pipelines.ports import ENSURE_RELEASE, MEASURE, RETIRE_RELEASE, ROUTE, WATCH_RELEASE
from tests.replay.scenarios.registry import scenario
from tests.support.fakes import Gate, World, passes, raises, waits
from tests.support.rollout_play import ANALYSIS, Play, canary, spec

Handle = WorkflowHandle[Any, Any]


async def _ended(play: Play, status: str) -> Handle:
    assert (await play.end(60)).status == status
    return play.handle


async def _starting(world: World) -> Play:
    """Its first replica is being started."""
    gate = Gate()
    world.plan(ENSURE_RELEASE, "*", waits(gate))
    play = await Play(world).start()
    await world.until(lambda: gate.waiting == 1)
    return play


@scenario
async def rollout_canary_approval_skipped(world: World) -> Handle:
    play = await Play(world).start()
    await play.until_asked(20)
    await play.ask(Promote(actor="ann"))
    return await _ended(play, "promoted")


@scenario
async def rollout_canary_superseded(world: World) -> Handle:
    play = await Play(world).start()
    await play.until_asked(20)
    await play.handle.signal("abort_request", Abort(actor="environment", reason="superseded"))
    return await _ended(play, "superseded")


@scenario
async def rollout_canary_promoted_without_an_approval(world: World) -> Handle:
    more = {"approval": {"timeout": "200ms"}, "approvalTimeoutAction": "promote"}
    return await _ended(await Play(world, canary(**more)).start(), "promoted")


@scenario
async def rollout_canary_paused_and_resumed(world: World) -> Handle:
    play = await Play(world, canary({"setWeight": 20}, {"pause": {"duration": "500ms"}})).start()
    await play.until_weight(20)
    await play.ask(Pause(actor="ann"))
    await play.until(lambda view: view.status == "paused")
    await play.ask(Resume(actor="ann"))
    return await _ended(play, "promoted")


@scenario
async def rollout_canary_that_nobody_can_watch(world: World) -> Handle:
    world.plan(WATCH_RELEASE, "*", raises(Conflict("no such target")))
    return await _ended(await Play(world).start(), "rolled-back")


@scenario
async def rollout_canary_analysis_without_metrics(world: World) -> Handle:
    world.always(MEASURE, "*", raises(Conflict("no such query")))
    analysis = ANALYSIS | {"background": False}
    play = await Play(world, canary({"setWeight": 20}, {"analysis": True}, analysis=analysis)).start()
    await play.until_asked(20)
    await play.ask(Abort(actor="ann"))
    return await _ended(play, "aborted")


@scenario
async def rollout_canary_aborted_while_replicas_start(world: World) -> Handle:
    play = await _starting(world)
    await play.ask(Abort(actor="ann"))
    return await _ended(play, "aborted")


@scenario
async def rollout_canary_promoted_while_replicas_start(world: World) -> Handle:
    play = await _starting(world)
    await play.ask(Promote(actor="ann", full=True))
    return await _ended(play, "promoted")


@scenario
async def rollout_canary_aborted_after_the_switch(world: World) -> Handle:
    play = await Play(world, canary({"setWeight": 20}, scaleDownDelay="1h")).start()
    await play.until(lambda view: view.move.startswith("keep the old release"))
    await play.ask(Abort(actor="ann"))
    return await _ended(play, "aborted")


@scenario
async def rollout_something_is_left_of_the_old_release(world: World) -> Handle:
    world.always(RETIRE_RELEASE, "*", raises(Conflict("still has traffic")))
    return await _ended(await Play(world, canary({"setWeight": 20})).start(), "promoted")


@scenario
async def rollout_rolling_turned_back_in_the_middle(world: World) -> Handle:
    play = Play(world, spec("rolling"), replicas=3)
    world.plan(ENSURE_RELEASE, play.candidate.id, passes, raises(ReleaseUnhealthy("crash loop")))
    return await _ended(await play.start(), "rolled-back")


@scenario
async def rollout_first_release_failed(world: World) -> Handle:
    world.plan(ROUTE, "*", raises(Conflict("no route")))
    return await _ended(await Play(world, with_stable=False).start(), "rolled-back")
