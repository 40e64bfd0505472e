"""Scenarios of RolloutWorkflow: every strategy, forward and back."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowHandle

from pipelines.errors import ReleaseUnhealthy, Unavailable
from pipelines.messages.deploy import CheckOutcome
from pipelines.messages.runs import Abort, Approve, Pause, Promote, Resume
from pipelines.ports import ENSURE_RELEASE, MEASURE, ROUTE, RUN_CHECKS
from tests.replay.scenarios.registry import scenario
from tests.support.fakes import Gate, World, answers, raises, times, waits
from tests.support.rollout_play import ANALYSIS, FAIL, PASS, UNSURE, Play, canary, spec

Handle = WorkflowHandle[Any, Any]
STEP = [{"setWeight": 20}, {"analysis": True}]
ONLY_STEPS = ANALYSIS | {"background": False}
CHECKS = [{"path": "/healthz"}]


async def _ended(play: Play, status: str) -> Handle:
    """A scenario that ends in another way than it is named for would be no golden one."""
    assert (await play.end()).status == status
    return play.handle


@scenario
async def rollout_canary_promoted(world: World) -> Handle:
    play = await Play(world).start()
    await play.until_asked(20)
    await play.ask(Approve(actor="ann"))
    return await _ended(play, "promoted")


@scenario
async def rollout_canary_with_analysis(world: World) -> Handle:
    world.always(MEASURE, "*", answers(PASS))
    return await _ended(await Play(world, canary(*STEP, analysis=ANALYSIS | {"count": 2})).start(), "promoted")


@scenario
async def rollout_canary_failed_analysis(world: World) -> Handle:
    world.always(MEASURE, "*", answers(FAIL))
    return await _ended(await Play(world, canary(*STEP, analysis=ONLY_STEPS)).start(), "rolled-back")


@scenario
async def rollout_canary_failed_in_the_background(world: World) -> Handle:
    world.always(MEASURE, "*", answers(FAIL))
    return await _ended(await Play(world, canary({"setWeight": 20}, {"pause": {}}, analysis=ANALYSIS)).start(), "rolled-back")


@scenario
async def rollout_canary_inconclusive(world: World) -> Handle:
    world.plan(MEASURE, "*", times(4, answers(UNSURE)))
    play = await Play(world, canary(*STEP, analysis=ONLY_STEPS)).start()
    await play.until_asked(20)
    await play.ask(Approve(actor="ann"))
    return await _ended(play, "promoted")


@scenario
async def rollout_canary_aborted(world: World) -> Handle:
    play = await Play(world).start()
    await play.until_asked(20)
    await play.ask(Abort(actor="ann", reason="slow"))
    return await _ended(play, "aborted")


@scenario
async def rollout_canary_cancelled(world: World) -> Handle:
    play = await Play(world).start()
    await play.until_asked(20)
    await play.handle.cancel()
    await play.end()
    return play.handle


@scenario
async def rollout_canary_rejected(world: World) -> Handle:
    play = await Play(world).start()
    await play.until_asked(20)
    await play.ask(Approve(actor="ann", approved=False))
    return await _ended(play, "aborted")


@scenario
async def rollout_canary_not_approved_in_time(world: World) -> Handle:
    return await _ended(await Play(world, canary(approval={"timeout": "100ms"})).start(), "aborted")


@scenario
async def rollout_canary_paused_and_promoted_fully(world: World) -> Handle:
    play = await Play(
        world, canary({"setWeight": 20}, {"pause": {"duration": "300ms"}}, {"setWeight": 60}, {"pause": {}})
    ).start()
    await play.until_weight(20)
    await play.ask(Pause(actor="ann"))
    await play.ask(Resume(actor="ann"))
    await play.until_asked(60)
    await play.ask(Promote(actor="ann", full=True))
    return await _ended(play, "promoted")


@scenario
async def rollout_canary_crashed(world: World) -> Handle:
    play = await Play(world).start()
    await play.until_asked(20)
    world.cluster.crash(play.candidate.id)
    return await _ended(play, "rolled-back")


@scenario
async def rollout_canary_not_ready(world: World) -> Handle:
    play = Play(world)
    world.plan(ENSURE_RELEASE, play.candidate.id, raises(ReleaseUnhealthy("it does not listen")))
    return await _ended(await play.start(), "rolled-back")


@scenario
async def rollout_canary_past_its_deadline(world: World) -> Handle:
    play = Play(world, canary(deadline="300ms"))
    world.plan(ENSURE_RELEASE, play.candidate.id, waits(Gate()))
    return await _ended(await play.start(), "rolled-back")


@scenario
async def rollout_first_release(world: World) -> Handle:
    return await _ended(await Play(world, with_stable=False).start(), "promoted")


@scenario
async def rollout_blue_green_automatic(world: World) -> Handle:
    strategy = spec("blue-green", prePromotionChecks=CHECKS, postPromotionChecks=CHECKS, autoPromotionSeconds="100ms")
    return await _ended(await Play(world, strategy).start(), "promoted")


@scenario
async def rollout_blue_green_manual(world: World) -> Handle:
    play = await Play(world, spec("blue-green", autoPromotionEnabled=False, scaleDownDelay="100ms")).start()
    await play.until_asked()
    await play.ask(Approve(actor="ann"))
    return await _ended(play, "promoted")


@scenario
async def rollout_blue_green_switched_back(world: World) -> Handle:
    world.always(MEASURE, "*", answers(FAIL))
    return await _ended(await Play(world, spec("blue-green", analysis=ONLY_STEPS)).start(), "rolled-back")


@scenario
async def rollout_blue_green_checks_failed(world: World) -> Handle:
    world.plan(RUN_CHECKS, "*", answers(CheckOutcome(passed=False, lines=["/healthz: 500"])))
    return await _ended(await Play(world, spec("blue-green", prePromotionChecks=CHECKS)).start(), "rolled-back")


@scenario
async def rollout_rolling(world: World) -> Handle:
    return await _ended(await Play(world, spec("rolling"), replicas=3).start(), "promoted")


@scenario
async def rollout_rolling_past_its_deadline(world: World) -> Handle:
    play = Play(world, spec("rolling", deadline="300ms"), replicas=3)
    world.plan(ENSURE_RELEASE, play.candidate.id, waits(Gate()))
    return await _ended(await play.start(), "rolled-back")


@scenario
async def rollout_at_once(world: World) -> Handle:
    return await _ended(await Play(world).start(fast=True, kind="rollback"), "promoted")


@scenario
async def rollout_whose_way_back_is_hard(world: World) -> Handle:
    """Takes some seconds: the way back is tried until it works."""
    play = await Play(world).start()
    await play.until_asked(20)
    back = f"{play.stable.id}=100" if play.stable else ""
    world.plan(ROUTE, back, raises(Unavailable("the router restarts")))
    await play.ask(Abort(actor="ann"))
    return await _ended(play, "aborted")
