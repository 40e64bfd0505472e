"""A failed run is held open: retry, skip and abort as Temporal's Web UI sends them, and what they do not repeat."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDReusePolicy

from pipelines.errors import Unavailable
from pipelines.messages.common import Status
from pipelines.messages.quality import GateDecision
from pipelines.messages.runs import Abort, Answer, Retry, RunResult, Skip
from pipelines.ports import EVALUATE_GATE, RUN_STEP, SEAL_STAGE
from starter.runs import retry as retry_run
from starter.runs import start
from tests.support.ended import failure, refusal, reset
from tests.support.fakes import Gate, World, answers, fails, loses_host, pipeline, raises, step, waits

Run = WorkflowHandle[Any, RunResult]


async def held(world: World, stages: dict[str, Any], *bad: str, **more: Any) -> Run:
    """A run that is held since each of the steps `bad` has failed once."""
    world.pipeline = pipeline(stages, hold=600, **more)
    for key in bad:
        world.plan(RUN_STEP, key, fails("no"))
    run = await world.start()
    await world.until_run(run, "held")
    return run


async def by_ui(ui: Client, run: Run, update: str, **asked: Any) -> str:
    """An update by name with JSON, as the Web UI sends it."""
    answer = await ui.get_workflow_handle(run.id).execute_update(update, asked)
    return str(answer["message"])


async def test_a_held_run_says_why_and_until_when(world: World) -> None:
    run = await held(world, {"build": []}, "build/0")
    view = await world.view(run)
    assert view.reason == "build: make: no"
    assert view.held_until is not None
    assert 500 < view.held_until - view.started_at < 700
    assert (await world.audited("run.held")).reason == "build: make: no"


async def test_retry_of_all_runs_only_what_has_not_passed(world: World, ui: Client) -> None:
    run = await held(world, {"a": [], "b": {"needs": ["a"], "steps": [step("x"), step("y")]}, "c": ["b"]}, "b/1")
    message = await by_ui(ui, run, "retry", actor="ann", reason="flaky")
    assert "b" in message
    assert (await run.result()).status == Status.passed
    assert world.order(RUN_STEP) == ["a/0", "b/0", "b/1", "b/1", "c/0"]
    retried = world.entry("run.retried")
    assert (retried.actor, retried.reason, retried.evidence["stages"]) == ("ann", "flaky", "b")


async def test_retry_of_one_stage_goes_on_with_what_was_stopped_for_it(world: World, ui: Client) -> None:
    slow = Gate()
    world.plan(RUN_STEP, "slow/0", waits(slow))
    run = await held(world, {"slow": [], "bad": [], "after": ["slow", "bad"]}, "bad/0")
    assert (await world.view(run)).stages[0].status == Status.cancelled
    await by_ui(ui, run, "retry", stage="bad")
    result = await run.result()
    assert result.stages == dict.fromkeys(["slow", "bad", "after"], Status.passed)


async def test_retry_of_one_of_two_failed_stages_leaves_the_run_held_for_the_other(world: World, ui: Client) -> None:
    stages = {"a": [], "b": [], "after": ["a"]}
    run = await held(world, stages, "a/0", "b/0", fail_fast=False)
    await by_ui(ui, run, "retry", stage="a")
    view = await world.until_view(run, lambda view: view.status == "held" and view.stages[2].status == Status.passed)
    assert [stage.status for stage in view.stages] == [Status.passed, Status.failed, Status.passed]
    await by_ui(ui, run, "retry", stage="b")
    assert (await run.result()).status == Status.passed


async def test_retry_from_a_step_repeats_even_what_passed(world: World, ui: Client) -> None:
    run = await held(world, {"a": {"steps": [step("x"), step("y"), step("z")]}}, "a/2")
    await by_ui(ui, run, "retry", stage="a", step=1)
    assert (await run.result()).status == Status.passed
    assert world.order(RUN_STEP) == ["a/0", "a/1", "a/2", "a/1", "a/2"]
    first, again = (call.arg.key for call in world.of(RUN_STEP, "a/1"))
    assert first != again, "the host would know the passed step by its key and not run it"


async def test_retry_from_a_step_of_a_stage_whose_gate_refused_repeats_its_steps(world: World, ui: Client) -> None:
    world.plan(EVALUATE_GATE, "a", answers(GateDecision(passed=False, reasons=["coverage 60 %"])))
    run = await held(world, {"a": {"steps": [step()], "gate": {}}})
    await by_ui(ui, run, "retry", stage="a", step=0)
    assert (await run.result()).stages == {"a": Status.passed}
    assert world.order(RUN_STEP) == ["a/0", "a/0"]


async def test_retry_after_a_refused_gate_only_asks_the_gate_again(world: World, ui: Client) -> None:
    world.plan(EVALUATE_GATE, "a", answers(GateDecision(passed=False, reasons=["coverage 60 %"])))
    run = await held(world, {"a": {"steps": [step()], "gate": {}}})
    await by_ui(ui, run, "retry")
    assert (await run.result()).status == Status.passed
    assert world.count(RUN_STEP) == 1
    assert world.count(EVALUATE_GATE) == 2


async def test_a_failed_attempt_is_retried_with_a_higher_attempt_in_the_same_execution(world: World, ui: Client) -> None:
    run = await held(world, {"a": []}, "a/0")
    await by_ui(ui, run, "retry")
    await run.result()
    first, second = (call.arg for call in world.of(RUN_STEP))
    assert first.key == second.key
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.execution == second.execution


async def test_skip_lets_the_run_go_on_behind_the_stage(world: World, ui: Client) -> None:
    slow = Gate()
    world.plan(RUN_STEP, "slow/0", waits(slow))
    run = await held(world, {"bad": [], "slow": [], "after": ["bad"]}, "bad/0")
    assert "skipped" in await by_ui(ui, run, "skip", stage="bad", actor="ann", reason="known")
    result = await run.result()
    assert result.stages == {"bad": Status.skipped, "slow": Status.passed, "after": Status.passed}
    assert world.entry("stage.skipped").actor == "ann"


async def test_what_follows_a_skipped_stage_is_not_reused_where_it_passed(world: World, ui: Client) -> None:
    run = await held(world, {"a": [], "b": ["a"]}, "a/0")
    await by_ui(ui, run, "skip", stage="a")
    await run.result()
    second = await (await world.start()).result()
    assert second.stages == {"a": Status.passed, "b": Status.passed}


async def test_abort_ends_a_held_run(world: World, ui: Client) -> None:
    run = await held(world, {"a": []}, "a/0")
    await by_ui(ui, run, "abort", actor="ann", reason="wrong branch")
    result = await run.result()
    assert (result.status, result.reason) == (Status.cancelled, "wrong branch")
    assert world.entry("run.aborted").actor == "ann"


async def test_a_run_that_nobody_mends_fails_when_its_time_is_over(world: World) -> None:
    world.pipeline = pipeline({"a": []}, hold=0.2)
    world.plan(RUN_STEP, "a/0", fails("no"))
    run = await world.start()
    assert str(await failure(run)).endswith("a: make: no")
    assert world.actions()[-2:] == ["run.held", "run.finished"]


async def test_what_makes_no_sense_is_refused_with_a_reason(world: World) -> None:
    slow = Gate()
    world.pipeline = pipeline({"a": []}, hold=600)
    world.plan(RUN_STEP, "a/0", waits(slow, fails()))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1)
    assert "not held" in await refusal(run, "retry", Retry())
    slow.open()
    await world.until_run(run, "held")
    assert "stage 'b' has not failed; failed or stopped: a" in await refusal(run, "retry", Retry(stage="b"))
    assert "a step from 0 to 0" in await refusal(run, "retry", Retry(stage="a", step=1))
    assert "name a stage" in await refusal(run, "retry", Retry(step=0))
    assert "has not failed" in await refusal(run, "skip", Skip(stage="b"))
    before = world.actions()
    await run.execute_update("abort", Abort(actor="ann"))
    assert "run.retried" not in before


async def test_json_that_is_no_request_is_refused_and_harms_nothing(world: World, ui: Client) -> None:
    run = await held(world, {"a": []}, "a/0")
    with pytest.raises(WorkflowUpdateFailedError):
        await by_ui(ui, run, "skip", actor="ann")
    assert (await world.view(run)).status == Status.held


async def test_a_stopped_stage_whose_host_was_lost_meanwhile_starts_over(world: World, ui: Client) -> None:
    world.plan(RUN_STEP, "slow/1", waits(Gate()))
    world.plan(RUN_STEP, "bad/0", waits(bad := Gate(), fails()), loses_host())
    world.pipeline = pipeline({"slow": {"steps": [step("x"), step("y")]}, "bad": []}, hold=600)
    run = await world.start()
    await world.until(lambda: world.count(RUN_STEP, "slow/1") == 1)
    bad.open()
    await world.until_run(run, "held")
    await by_ui(ui, run, "retry", stage="bad")
    assert (await run.result()).status == Status.passed
    onto_b = [call.key for call in world.of(RUN_STEP) if call.queue == "host-b"]
    assert sorted(onto_b) == ["bad/0", "slow/0", "slow/1"]


async def test_a_stage_that_could_not_be_collected_is_only_collected_again(world: World, ui: Client) -> None:
    world.plan(SEAL_STAGE, "a", *[raises(Unavailable("disk full"))] * 6)
    world.pipeline = pipeline({"a": []}, hold=600)
    run = await world.start()
    view = await world.until_run(run, "held")
    assert "disk full" in view.reason
    await by_ui(ui, run, "retry")
    assert (await run.result()).status == Status.passed
    assert world.count(RUN_STEP) == 1


async def test_a_run_that_failed_starts_again_under_its_id_and_repeats_nothing(world: World) -> None:
    world.pipeline = pipeline({"a": [], "b": ["a"]})
    world.plan(RUN_STEP, "b/0", fails())
    request = world.request()
    run = await world.start(request)
    await failure(run)
    await retry_run(world.client, run.id, Retry(actor="ann"))
    result = await run.result()
    assert result.stages == {"a": Status.reused, "b": Status.passed}
    assert world.order(RUN_STEP) == ["a/0", "b/0", "b/0"]
    first, second = (call.arg for call in world.of(RUN_STEP, "b/0"))
    assert first.key == second.key
    assert first.execution != second.execution


async def test_start_a_workflow_like_this_one_repeats_nothing(world: World, ui: Client) -> None:
    """As the Web UI does it: same type, queue, id and input, plain JSON."""
    world.pipeline = pipeline({"a": [], "b": ["a"]})
    request = world.request()
    run = await world.start(request)
    await run.result()
    again = await ui.start_workflow(
        "PipelineWorkflow", request.model_dump(mode="json"), id=run.id, task_queue="build",
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )  # fmt: skip
    result = await again.result()
    assert result["stages"] == {"a": "reused", "b": "reused"}
    assert world.order(RUN_STEP) == ["a/0", "b/0"]


async def test_a_webhook_that_comes_again_starts_nothing(world: World) -> None:
    request = world.request()
    run = await world.start(request)
    await run.result()
    assert (await start(world.client, request)).already
    assert world.count(RUN_STEP) == 1


async def test_a_reset_to_an_earlier_point_repeats_nothing_that_passed(world: World, ui: Client) -> None:
    world.pipeline = pipeline({"a": [], "b": ["a"], "c": ["b"]})
    world.plan(RUN_STEP, "c/0", fails())
    run = await world.start()
    await failure(run)
    await reset(ui, run, "b")
    latest = world.client.get_workflow_handle(run.id, result_type=RunResult)
    result = await latest.result()
    assert result.stages == {"a": Status.passed, "b": Status.reused, "c": Status.passed}
    assert world.order(RUN_STEP) == ["a/0", "b/0", "c/0", "c/0"]


async def test_a_reset_of_a_run_that_is_under_way_stops_what_it_did(world: World, ui: Client) -> None:
    slow = Gate()
    world.pipeline = pipeline({"a": [], "b": ["a"]})
    world.plan(RUN_STEP, "b/0", waits(slow))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1)
    await reset(ui, run, "b")
    latest = world.client.get_workflow_handle(run.id, result_type=RunResult)
    assert (await latest.result()).status == Status.passed
    assert [call.outcome for call in world.of(RUN_STEP, "b/0")] == ["cancelled", "done"]
    first = world.client.get_workflow_handle(run.id, run_id=world.of(RUN_STEP)[0].arg.execution)
    assert (await first.describe()).status == WorkflowExecutionStatus.TERMINATED


async def test_an_answer_says_what_was_done(world: World) -> None:
    run = await held(world, {"a": []}, "a/0")
    answer = await run.execute_update("retry", Retry(stage="a"), result_type=Answer)
    assert answer.message == "running again: a; what has passed is not repeated"
    assert (await run.result()).status == Status.passed
