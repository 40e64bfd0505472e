"""Analysis between steps and in the background: fail turns back, what cannot tell waits for people, and nothing passes unseen."""

from __future__ import annotations

from pipelines.errors import ReleaseUnhealthy, Unavailable
from pipelines.messages.runs import Abort, Approve
from pipelines.ports import ENSURE_RELEASE, MEASURE
from tests.support.fakes import Gate, World, answers, passes, raises, times, waits
from tests.support.rollout_play import ANALYSIS, FAIL, PASS, UNSURE, Play, canary, spec

ONLY_STEPS = ANALYSIS | {"background": False}
STEP = [{"setWeight": 20}, {"analysis": True}]
WAITING = [{"setWeight": 20}, {"pause": {}}]


async def test_a_step_measures_as_often_as_it_says_and_goes_on(world: World) -> None:
    world.always(MEASURE, "*", answers(PASS))
    play = await Play(world, canary(*STEP, analysis=ONLY_STEPS | {"count": 3})).start()
    assert (await play.end()).status == "promoted"
    assert play.measured() == 3
    view = await play.view()
    assert [point.verdict.outcome for point in view.verdicts] == ["pass"] * 3


async def test_only_what_was_served_since_the_weight_counts(world: World) -> None:
    """And the judge speaks with the last measurement."""
    world.always(MEASURE, "*", answers(PASS))
    play = await Play(world, canary(*STEP, analysis=ONLY_STEPS | {"count": 2})).start()
    await play.end()
    first, last = world.of(MEASURE)
    assert first.arg.since >= (await play.view()).weights[0].at
    assert first.arg.window >= 0.02
    assert (first.arg.judge, last.arg.judge) == (False, True)
    assert (first.arg.candidate, first.arg.stable) == (play.candidate.id, f"old-{world.service}")


async def test_a_failed_step_turns_back(world: World) -> None:
    world.always(MEASURE, "*", answers(FAIL))
    play = await Play(world, canary(*STEP, {"setWeight": 60}, analysis=ONLY_STEPS)).start()
    result = await play.end()
    assert result.status == "rolled-back"
    assert result.reason.startswith("analysis failed: metric 'errors' failed 1 time")
    assert play.shares() == [20, 0]
    assert world.entry("rollout.turned-back").evidence["cause"] == "analysis"


async def test_an_inconclusive_step_waits_for_people_who_say_yes(world: World) -> None:
    world.plan(MEASURE, "*", times(4, answers(UNSURE)))
    play = await Play(world, canary(*STEP, analysis=ONLY_STEPS)).start()
    view = await play.until_asked(20)
    assert "analysis is inconclusive" in view.waiting_for
    await world.until(lambda: bool(world.told))
    assert "3 requests, 20 needed" in world.told[0].text
    await play.ask(Approve(actor="ann"))
    assert (await play.end()).status == "promoted"
    assert play.measured() == 4


async def test_an_inconclusive_step_waits_for_people_who_say_no(world: World) -> None:
    world.plan(MEASURE, "*", times(4, answers(UNSURE)))
    play = await Play(world, canary(*STEP, analysis=ONLY_STEPS)).start()
    await play.until_asked(20)
    await play.ask(Abort(actor="ann"))
    assert (await play.end()).status == "aborted"


async def test_no_metrics_no_verdict(world: World) -> None:
    """The metrics server is away: an error is no pass, and people decide."""
    world.always(MEASURE, "*", raises(Unavailable("no metrics")))
    analysis = ONLY_STEPS | {
        "metrics": [{"name": "errors", "builtin": "error-rate", "successMax": 0.01, "consecutiveErrorLimit": 0}]
    }
    play = await Play(world, canary(*STEP, analysis=analysis)).start()
    view = await play.until_asked(20)
    assert "analysis is error" in view.waiting_for
    assert "no metrics" in view.waiting_for
    assert play.measured() == 3
    await play.ask(Abort(actor="ann"))
    await play.end()


async def test_a_metrics_server_that_comes_back(world: World) -> None:
    world.plan(MEASURE, "*", times(2, raises(Unavailable("no metrics"))))
    play = await Play(world, canary(*STEP, analysis=ONLY_STEPS)).start()
    assert (await play.end()).status == "promoted"


async def test_a_question_that_cannot_be_answered_waits_for_people(world: World) -> None:
    world.always(MEASURE, "*", raises(ReleaseUnhealthy("no such query")))
    play = await Play(world, canary(*STEP, analysis=ONLY_STEPS)).start()
    assert "no such query" in (await play.until_asked()).waiting_for
    assert play.measured() == 5
    await play.ask(Abort(actor="ann"))
    await play.end()


async def test_in_the_background_a_failure_interrupts_a_pause(world: World) -> None:
    world.plan(MEASURE, "*", answers(PASS), answers(PASS), answers(FAIL))
    play = await Play(world, canary(*WAITING, analysis=ANALYSIS)).start()
    result = await play.end()
    assert result.status == "rolled-back"
    assert result.reason.startswith("background analysis failed")
    assert play.measured() == 3


async def test_in_the_background_it_goes_on_while_the_old_release_is_kept(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, analysis=ANALYSIS, scaleDownDelay="1h")).start()
    await play.until(lambda view: view.move == "keep the old release for 3600 s")
    world.always(MEASURE, "*", answers(FAIL))
    result = await play.end()
    assert (result.status, result.stable_id) == ("rolled-back", f"old-{world.service}")


async def test_in_the_background_what_cannot_tell_stops_before_the_next_step(world: World) -> None:
    gate = Gate()
    play = Play(world, canary({"setWeight": 20}, {"setWeight": 60}, analysis=ANALYSIS))
    world.plan(ENSURE_RELEASE, play.candidate.id, passes, waits(gate))
    world.plan(MEASURE, "*", times(4, answers(UNSURE)))
    await play.start()
    await play.until(lambda view: len(view.verdicts) == 4)
    gate.open()
    view = await play.until_asked(20)
    assert "background analysis is inconclusive" in view.waiting_for
    assert play.measured() == 4
    await play.ask(Approve(actor="ann"))
    assert (await play.end()).status == "promoted"
    assert play.shares() == [20, 60, 100]


async def test_in_the_background_nothing_is_asked_twice(world: World) -> None:
    """People are being asked for an approval already."""
    play = await Play(world, canary(*WAITING, analysis=ANALYSIS)).start()
    await play.until_asked(20)
    world.plan(MEASURE, "*", times(4, answers(UNSURE)))
    before = play.measured()
    await world.until(lambda: play.measured() > before + 6)
    view = await play.view()
    assert view.waiting_for == "approval"
    await play.ask(Approve(actor="ann"))
    assert (await play.end()).status == "promoted"


async def test_an_initial_delay_is_waited_for(world: World) -> None:
    play = await Play(world, canary(*STEP, analysis=ONLY_STEPS | {"initialDelay": "300ms"})).start()
    await play.end()
    view = await play.view()
    assert view.verdicts[0].at - view.weights[0].at >= 0.3


async def test_a_rolling_update_is_analysed_before_it_is_promoted(world: World) -> None:
    world.always(MEASURE, "*", answers(FAIL))
    play = await Play(world, spec("rolling", analysis=ONLY_STEPS)).start()
    result = await play.end()
    assert (result.status, result.stable_id) == ("rolled-back", f"old-{world.service}")
    assert max(play.shares()) == 100
