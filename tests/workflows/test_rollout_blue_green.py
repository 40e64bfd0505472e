"""Blue-green: checked on the preview address, switched at once, kept for an instant way back."""

from __future__ import annotations

from pipelines.messages.deploy import CheckOutcome
from pipelines.messages.runs import Abort, Approve
from pipelines.ports import ENSURE_RELEASE, MEASURE, RETIRE_RELEASE, ROUTE, RUN_CHECKS
from tests.support.fakes import Gate, World, answers, waits
from tests.support.rollout_play import ANALYSIS, FAIL, Play, spec

CHECKS = [{"path": "/healthz"}]
REFUSED = CheckOutcome(passed=False, lines=["/healthz: 500, 200 expected"])


async def test_the_switch_is_one_change_of_the_traffic(world: World) -> None:
    play = await Play(world, spec("blue-green"), replicas=3).start()
    assert (await play.end()).status == "promoted"
    weights = [call.arg.weights for call in world.of(ROUTE)]
    assert weights[0] == {f"old-{world.service}": 100}
    assert all(each == {play.candidate.id: 100} for each in weights[1:])
    assert [call.arg.replicas for call in world.of(ENSURE_RELEASE)] == [3]


async def test_checks_on_the_preview_address_come_before_the_switch(world: World) -> None:
    play = await Play(world, spec("blue-green", prePromotionChecks=CHECKS, postPromotionChecks=CHECKS)).start()
    assert (await play.end()).status == "promoted"
    before, after = world.of(RUN_CHECKS)
    [switch] = [call for call in world.of(ROUTE, f"{play.candidate.id}=100") if call.arg.preview is None][:1]
    assert (before.arg.preview, after.arg.preview) == (True, False)
    assert before.ended is not None and before.ended < switch.started < after.started
    assert world.of(ROUTE)[0].arg.preview == play.candidate.id


async def test_checks_that_fail_before_the_switch(world: World) -> None:
    """Nobody's request ever reached the candidate, and its preview is closed."""
    world.plan(RUN_CHECKS, "preview", answers(REFUSED))
    play = await Play(world, spec("blue-green", prePromotionChecks=CHECKS)).start()
    result = await play.end()
    assert result.status == "rolled-back"
    assert result.reason.endswith("checks before the switch failed: /healthz: 500, 200 expected")
    assert set(play.shares()) == {0}
    assert [call.arg.preview for call in world.of(ROUTE)] == [play.candidate.id, None]


async def test_checks_that_fail_after_the_switch(world: World) -> None:
    world.plan(RUN_CHECKS, f"production/{world.service}", answers(REFUSED))
    play = await Play(world, spec("blue-green", postPromotionChecks=CHECKS)).start()
    result = await play.end()
    assert (result.status, result.stable_id) == ("rolled-back", f"old-{world.service}")
    assert play.shares()[-2:] == [100, 0]


async def test_manual_promotion(world: World) -> None:
    play = await Play(world, spec("blue-green", autoPromotionEnabled=False)).start()
    view = await play.until_asked(0)
    assert view.preview_address == f"http://preview.{world.service}.test"
    assert set(play.shares()) == {0}
    await play.ask(Approve(actor="ann"))
    assert (await play.end()).status == "promoted"


async def test_automatic_promotion_after_a_while(world: World) -> None:
    play = await Play(world, spec("blue-green", autoPromotionSeconds="300ms")).start()
    await play.until(lambda view: view.move == "wait 0.3 s")
    assert (await play.end()).status == "promoted"


async def test_analysis_after_the_switch_switches_back(world: World) -> None:
    world.always(MEASURE, "*", answers(FAIL))
    play = await Play(world, spec("blue-green", analysis=ANALYSIS | {"background": False})).start()
    result = await play.end()
    assert (result.status, result.stable_id) == ("rolled-back", f"old-{world.service}")
    assert "analysis failed" in result.reason


async def test_switched_back_at_once_while_the_old_one_is_kept(world: World) -> None:
    """Nothing is started for it: the old release still runs in full."""
    play = await Play(world, spec("blue-green", scaleDownDelay="1h"), replicas=3).start()
    await play.until(lambda view: view.move == "keep the old release for 3600 s")
    assert world.cluster.replicas[f"old-{world.service}"] == 3
    await play.ask(Abort(actor="ann"))
    assert (await play.end()).status == "aborted"
    assert world.count(ENSURE_RELEASE, f"old-{world.service}") == 0
    assert world.order(RETIRE_RELEASE) == [play.candidate.id]


async def test_the_old_release_is_removed_after_its_delay(world: World) -> None:
    play = await Play(world, spec("blue-green", scaleDownDelay="300ms")).start()
    await play.until(lambda view: view.move.startswith("keep the old release"))
    assert world.count(RETIRE_RELEASE) == 0
    assert (await play.end()).status == "promoted"
    assert world.order(RETIRE_RELEASE) == [f"old-{world.service}"]


async def test_a_small_preview_grows_before_the_switch(world: World) -> None:
    play = await Play(world, spec("blue-green", previewReplicas=1), replicas=4).start()
    assert (await play.end()).status == "promoted"
    grown = world.of(ENSURE_RELEASE)[-1]
    switch = next(call for call in world.of(ROUTE) if call.arg.weights.get(play.candidate.id))
    assert [call.arg.replicas for call in world.of(ENSURE_RELEASE)] == [1, 4]
    assert grown.ended is not None and grown.ended < switch.started


async def test_aborted_while_the_checks_run(world: World) -> None:
    gate = Gate()
    world.plan(RUN_CHECKS, "*", waits(gate))
    play = await Play(world, spec("blue-green", prePromotionChecks=CHECKS)).start()
    await world.until(lambda: gate.waiting == 1)
    await play.ask(Abort(actor="ann"))
    assert (await play.end()).status == "aborted"
    assert world.of(RUN_CHECKS)[0].outcome == "cancelled"
