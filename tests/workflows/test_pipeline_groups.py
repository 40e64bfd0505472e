"""Concurrency groups of runs and of stages, with the real GroupWorkflow."""

from __future__ import annotations

import pytest

from pipelines.errors import Denied
from pipelines.messages.common import Nothing, Status
from pipelines.ports import JOIN_GROUP, RESOLVE, RUN_STEP
from tests.support.ended import failure
from tests.support.fakes import Gate, World, answers, fails, pipeline, raises, step, waits
from workflows import stage as stages


async def test_runs_of_a_group_run_one_after_another(world: World) -> None:
    slow = Gate()
    world.pipeline = pipeline({"a": []}, concurrency={})
    world.plan(RUN_STEP, "a/0", waits(slow))
    first = await world.start()
    await world.until(lambda: slow.waiting == 1)
    second = await world.start(world.request(reuse=False))
    view = await world.until_run(second, "waiting")
    assert view.reason == f"waits for its turn in {world.repo}/main/default"
    assert world.count(RUN_STEP) == 1
    slow.open()
    assert (await first.result()).status == Status.passed
    assert (await second.result()).status == Status.passed
    first_step, second_step = world.of(RUN_STEP)
    assert (first_step.ended or 0) < second_step.started


async def test_runs_of_different_groups_do_not_wait(world: World) -> None:
    slow = Gate()
    world.pipeline = pipeline({"a": []}, concurrency={})
    world.plan(RUN_STEP, "a/0", waits(slow))
    first = await world.start()
    await world.until(lambda: slow.waiting == 1)
    other = await world.start(world.request(branch="other"))
    assert (await other.result()).status == Status.passed
    slow.open()
    assert (await first.result()).status == Status.passed


async def test_a_newer_run_cancels_the_one_in_progress(world: World) -> None:
    slow = Gate()
    world.pipeline = pipeline({"a": []}, concurrency={"policy": "cancel-in-progress"})
    world.plan(RUN_STEP, "a/0", waits(slow))
    first = await world.start()
    await world.until(lambda: slow.waiting == 1)
    second = await world.start()
    assert (await second.result()).status == Status.passed
    assert (await first.result()).status == Status.cancelled
    assert [call.outcome for call in world.of(RUN_STEP)] == ["cancelled", "done"]
    assert world.entry("run.aborted").actor == "temporal"


async def test_a_failed_run_gives_its_turn_on(world: World) -> None:
    world.pipeline = pipeline({"a": []}, concurrency={})
    world.plan(RUN_STEP, "a/0", fails())
    await failure(await world.start())
    assert (await (await world.start()).result()).status == Status.passed


async def test_a_group_that_cannot_be_joined_fails_the_run_and_nothing_runs(world: World) -> None:
    world.pipeline = pipeline({"a": []}, concurrency={})
    world.plan(JOIN_GROUP, "*", raises(Denied("not in this group")))
    assert "could not queue in" in str(await failure(await world.start()))
    assert world.count(RESOLVE) == 1
    assert world.count(RUN_STEP) == 0


async def test_stages_of_a_group_run_one_after_another(world: World) -> None:
    slow = Gate()
    group = f"database-{world.token}"
    world.pipeline = pipeline({name: {"steps": [step(name)], "concurrency": group} for name in ("a", "b")})
    world.always(RUN_STEP, "*", waits(slow))
    run = await world.start()
    view = await world.until_view(run, lambda view: any(stage.waiting_for for stage in view.stages) and slow.waiting == 1)
    assert f"its turn in {group}" in [stage.waiting_for for stage in view.stages]
    assert world.count(RUN_STEP) == 1
    slow.open()
    assert (await run.result()).status == Status.passed
    one, other = world.of(RUN_STEP)
    assert (one.ended or 0) < other.started


async def test_a_failed_stage_gives_its_turn_on_and_waits_for_another_when_it_is_retried(world: World) -> None:
    group = f"database-{world.token}"
    slow = Gate()
    world.pipeline = pipeline({"a": {"steps": [step()], "concurrency": group}}, hold=600)
    world.plan(RUN_STEP, "a/0", fails(), waits(slow))
    first = await world.start(world.request(reuse=False))
    await world.until_run(first, "held")
    second = await world.start()
    await world.until(lambda: slow.waiting == 1)
    await first.execute_update("retry", {"actor": "ann"})
    await world.until_view(first, lambda view: view.stages[0].waiting_for == f"its turn in {group}")
    assert world.count(RUN_STEP) == 2
    slow.open()
    assert (await second.result()).status == Status.passed
    assert (await first.result()).stages == {"a": Status.passed}
    assert len({call.arg.token for call in world.of(JOIN_GROUP)}) == 2


async def test_a_turn_whose_telling_got_lost_is_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "ASK_AGAIN", 0.2)
    world.pipeline = pipeline({"a": []}, concurrency={})
    world.plan(JOIN_GROUP, "*", answers(Nothing()))
    assert (await (await world.start()).result()).status == Status.passed
    assert world.count(JOIN_GROUP) == 2
