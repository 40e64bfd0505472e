"""Approvals, aborts and cancellations of a run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from pipelines.messages.common import Status
from pipelines.messages.deploy import Ticket, Verdict
from pipelines.messages.runs import Abort, Answer, Approve, Retry, RunResult
from pipelines.ports import JOIN_GROUP, MEASURE, OPEN_STAGE, REQUEST_ROLLOUT, RESOLVE, RUN_STEP
from tests.support.ended import failure, refusal, reset
from tests.support.fakes import Gate, World, answers, fails, pipeline, step, waits
from workflows import stage_release

Run = WorkflowHandle[Any, RunResult]


def approval(**spec: Any) -> dict[str, Any]:
    return {"steps": [step()], "approval": spec}


async def waiting(world: World, **spec: Any) -> Run:
    """A run whose only stage waits for approval."""
    world.pipeline = pipeline({"deploy": approval(**spec)})
    run = await world.start()
    await world.until_view(run, lambda view: any(stage.status == Status.waiting for stage in view.stages))
    return run


async def test_a_stage_waits_for_its_approval_and_says_so(world: World, ui: Client) -> None:
    run = await waiting(world, approvers=["ann", "bea"])
    view = await world.view(run)
    assert view.stages[0].waiting_for == "approval by ann, bea (1)"
    await world.until(lambda: any("waits for approval" in note.title for note in world.told))
    assert f"switchyard approve '{run.id}' --stage deploy" in next(note.text for note in world.told if "waits" in note.title)
    assert world.count(OPEN_STAGE) == 0
    answer = await ui.get_workflow_handle(run.id).execute_update("approve", {"actor": "ann", "reason": "fine"})
    assert answer == {"message": "deploy: approved by ann, going on"}
    assert (await run.result()).status == Status.passed
    given = world.entry("approval.given")
    assert (given.actor, given.reason, given.evidence["stage"]) == ("ann", "fine", "deploy")


async def test_only_those_may_approve_who_are_named(world: World) -> None:
    run = await waiting(world, approvers=["ann"])
    assert "'eve' may not approve this; ann may" in await refusal(run, "approve", Approve(actor="eve"))
    await run.execute_update("approve", Approve(actor="ann"))
    assert (await run.result()).status == Status.passed


async def test_the_author_needs_somebody_else(world: World) -> None:
    run = await waiting(world, not_author=True)
    assert "author" in await refusal(run, "approve", Approve(actor="bob"))
    await run.execute_update("approve", Approve(actor="ann"))
    assert (await run.result()).status == Status.passed


async def test_two_approvals_come_from_two_people(world: World) -> None:
    run = await waiting(world, count=2)
    answer = await run.execute_update("approve", Approve(actor="ann"), result_type=Answer)
    assert answer.message == "deploy: approved by ann, 1 more needed"
    assert "approved already" in await refusal(run, "approve", Approve(actor="ann"))
    assert (await world.view(run)).stages[0].approvals == ["ann"]
    await run.execute_update("approve", Approve(actor="bea"))
    assert (await run.result()).status == Status.passed


async def test_a_rejection_fails_the_stage(world: World) -> None:
    run = await waiting(world)
    await run.execute_update("approve", Approve(actor="ann", approved=False, reason="friday"))
    assert str(await failure(run)).endswith("deploy: rejected by ann: friday")
    assert world.count(RUN_STEP) == 0
    assert world.entry("approval.rejected").actor == "ann"


async def test_an_approval_that_nobody_gives_is_a_no(world: World) -> None:
    world.pipeline = pipeline({"deploy": approval(timeout=0.1)})
    assert "nobody approved within 0.1 s" in str(await failure(await world.start()))
    assert world.entry("approval.rejected").actor == "switchyard"


async def test_or_a_yes_where_the_pipeline_says_so(world: World) -> None:
    world.pipeline = pipeline({"deploy": approval(timeout=0.1, on_timeout="approve")})
    assert (await (await world.start()).result()).status == Status.passed
    assert "the pipeline says to go on" in world.entry("approval.given").reason


async def test_what_is_not_asked_cannot_be_approved(world: World) -> None:
    slow = Gate()
    world.pipeline = pipeline({"a": [], "x": approval(), "y": approval()})
    world.plan(RUN_STEP, "a/0", waits(slow))
    run = await world.start()
    await world.until_view(run, lambda view: sum(stage.status == Status.waiting for stage in view.stages) == 2)
    assert "several stages wait for approval, name one: x, y" in await refusal(run, "approve", Approve(actor="ann"))
    assert "stage 'a' does not wait for approval; waiting: x, y" in await refusal(run, "approve", Approve(actor="ann", stage="a"))
    await run.execute_update("approve", Approve(actor="ann", stage="x"))
    await run.execute_update("approve", Approve(actor="ann"))
    slow.open()
    assert (await run.result()).status == Status.passed


async def test_a_retried_stage_asks_again_and_tells_again(world: World) -> None:
    world.pipeline = pipeline({"deploy": approval()}, hold=600)
    world.plan(RUN_STEP, "deploy/0", fails())
    run = await world.start()
    await world.until_view(run, lambda view: any(stage.status == Status.waiting for stage in view.stages))
    await run.execute_update("approve", Approve(actor="ann"))
    await world.until_run(run, "held")
    await run.execute_update("retry", Retry(actor="ann"))
    view = await world.until_view(run, lambda view: view.stages[0].status == Status.waiting)
    assert view.stages[0].approvals == []
    await run.execute_update("approve", Approve(actor="ann"))
    assert (await run.result()).status == Status.passed
    await world.until(lambda: sum("waits for approval" in note.title for note in world.told) == 2)
    assert world.actions().count("approval.given") == 2


async def stop(how: str, run: Run) -> None:
    if how == "abort":
        await run.execute_update("abort", Abort(actor="ann", reason="wrong"))
    else:
        await run.cancel()


@pytest.mark.parametrize("how", ["abort", "cancel"])
async def test_stopping_a_run_stops_its_steps_and_is_told(world: World, how: str) -> None:
    slow = Gate()
    world.pipeline = pipeline({"a": [], "b": [], "c": ["a"]}, hold=600)
    world.always(RUN_STEP, "*", waits(slow))
    run = await world.start()
    await world.until(lambda: slow.waiting == 2)
    await stop(how, run)
    result = await run.result()
    assert result.status == Status.cancelled
    assert result.stages == {"a": Status.cancelled, "b": Status.cancelled, "c": Status.pending}
    assert [call.outcome for call in world.of(RUN_STEP)] == ["cancelled", "cancelled"]
    assert world.actions()[-2:] == ["run.aborted", "run.finished"]
    assert world.runs[-1].status == Status.cancelled


@pytest.mark.parametrize("how", ["abort", "cancel"])
async def test_stopping_a_run_that_is_still_fetching(world: World, how: str) -> None:
    slow = Gate()
    world.plan(RESOLVE, "*", waits(slow))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1)
    await stop(how, run)
    assert (await run.result()).status == Status.cancelled
    assert [call.outcome for call in world.of(RESOLVE)] == ["cancelled"]


@pytest.mark.parametrize("how", ["abort", "cancel"])
async def test_stopping_a_run_that_waits_for_approval(world: World, how: str) -> None:
    run = await waiting(world)
    await stop(how, run)
    assert (await run.result()).status == Status.cancelled
    assert world.count(RUN_STEP) == 0


@pytest.mark.parametrize("how", ["abort", "cancel"])
async def test_stopping_a_run_that_waits_for_its_turn(world: World, how: str) -> None:
    world.plan(JOIN_GROUP, "*", waits(Gate()))
    world.pipeline = pipeline({"a": []}, concurrency={})
    run = await world.start()
    await world.until(lambda: world.count(JOIN_GROUP) == 1)
    await stop(how, run)
    assert (await run.result()).status == Status.cancelled
    assert world.count(OPEN_STAGE) == 0


async def test_a_run_is_aborted_once(world: World) -> None:
    slow = Gate()
    releases(world)
    world.plan(REQUEST_ROLLOUT, "*", waits(slow))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1)
    await run.execute_update("abort", Abort(actor="ann"))
    assert "being aborted already" in await refusal(run, "abort", Abort(actor="bea"))
    slow.open()
    assert (await run.result()).status == Status.cancelled
    assert world.entry("run.aborted").actor == "ann"


CANARY = {"strategy": "canary", "steps": [{"setWeight": 20}, {"pause": {}}], "scaleDownDelay": 0, "drain": 0}


def releases(world: World, rollout: Mapping[str, Any] = MappingProxyType(CANARY), **more: Any) -> None:
    """Build an artifact, then release it."""
    build = {"steps": [step()], "artifacts": [{"name": "app", "paths": ["dist"]}]}
    deploy: dict[str, Any] = {"needs": ["build"], "environment": "staging", "release": {"process": {"command": "serve"}}}
    deploy["rollout"] = dict(rollout)
    world.pipeline = pipeline({"build": build, "deploy": deploy}, service=world.service, **more)


async def stable(world: World) -> str:
    """A first release that has all traffic; a second run of the world changes it."""
    releases(world)
    await (await world.start()).result()
    return next(iter(world.cluster.weights(f"staging/{world.service}")))


async def test_a_release_is_rolled_out_by_its_environment(world: World) -> None:
    releases(world)
    run = await world.start()
    result = await run.result()
    assert result.status == Status.passed
    view = await world.view(run)
    assert view.stages[1].rollout_id == f"rollout/staging/{world.service}/1"
    assert list(world.cluster.weights(f"staging/{world.service}").values()) == [100]
    assert world.cluster.wrongs == []


@pytest.mark.parametrize("how", ["abort", "cancel"])
async def test_stopping_a_run_turns_its_rollout_back_before_it_ends(world: World, how: str) -> None:
    old = await stable(world)
    world.tree += "2"
    run = await world.start()
    place = f"staging/{world.service}"
    await world.until(lambda: 20 in world.cluster.weights(place).values())
    await stop(how, run)
    assert (await run.result()).status == Status.cancelled
    assert world.cluster.weights(place) == {old: 100}
    assert set(world.cluster.replicas) == {old}
    assert world.cluster.wrongs == []
    assert world.entry("rollout.turned-back").actor == ("ann" if how == "abort" else "temporal")


async def test_stopping_a_run_whose_rollout_is_only_being_asked_for_withdraws_it(world: World) -> None:
    old = await stable(world)
    world.tree += "2"
    slow = Gate()
    world.plan(REQUEST_ROLLOUT, "*", waits(slow))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1)
    await run.execute_update("abort", Abort(actor="ann"))
    slow.open()
    assert (await run.result()).status == Status.cancelled
    assert world.cluster.weights(f"staging/{world.service}") == {old: 100}
    assert set(world.cluster.replicas) == {old}
    assert world.cluster.wrongs == []


async def test_stopping_a_run_whose_rollout_is_queued_withdraws_it(world: World) -> None:
    old = await stable(world)
    world.tree += "2"
    first = await world.start()
    await world.until(lambda: 20 in world.cluster.weights(f"staging/{world.service}").values())
    world.tree += "3"
    second = await world.start()
    await world.until_view(second, lambda view: view.stages[1:] != [] and view.stages[1].rollout_id != "")
    await second.execute_update("abort", Abort(actor="ann"))
    assert (await second.result()).status == Status.cancelled
    await first.execute_update("abort", Abort(actor="ann"))
    await first.result()
    assert world.cluster.weights(f"staging/{world.service}") == {old: 100}
    assert len({call.arg.release.id for call in world.calls if call.port.name == "deploy.ensure"}) == 2


async def test_a_newer_run_may_take_the_place_of_a_rollout_under_way(world: World) -> None:
    place = f"staging/{world.service}"
    old = await stable(world)
    world.tree += "2"
    first = await world.start()
    await world.until(lambda: 20 in world.cluster.weights(place).values())
    world.tree += "3"
    releases(world, rollout={"strategy": "rolling", "whenBusy": "supersede", "scaleDownDelay": 0, "drain": 0})
    second = await world.start()
    assert (await second.result()).status == Status.passed
    assert "superseded" in str(await failure(first))
    assert list(world.cluster.weights(place).values()) == [100]
    assert old not in world.cluster.weights(place)
    assert world.cluster.wrongs == []


async def test_a_rollout_that_is_turned_back_fails_its_stage(world: World) -> None:
    await stable(world)
    world.tree += "2"
    metrics = [{"name": "errors", "builtin": "success-rate", "successMin": 0.9}]
    analysed = {**CANARY, "steps": [{"setWeight": 20}, {"analysis": True}], "analysis": {"metrics": metrics, "interval": 0.05}}
    build = {"steps": [step()], "artifacts": [{"name": "app", "paths": ["dist"]}]}
    deploy: dict[str, Any] = {
        "needs": ["build"],
        "environment": "staging",
        "release": {"process": {"command": "serve"}},
        "rollout": analysed,
    }
    world.pipeline = pipeline({"build": build, "deploy": deploy}, service=world.service)
    world.always(MEASURE, "*", answers(Verdict(outcome="fail", reason="too many errors", requests={"candidate": 50})))
    assert "too many errors" in str(await failure(await world.start()))
    assert world.cluster.wrongs == []


async def test_what_no_stage_has_made_cannot_be_released(world: World) -> None:
    world.pipeline = pipeline(
        {"deploy": {"environment": "staging", "release": {"process": {"command": "serve"}}, "rollout": CANARY}}
    )  # fmt: skip
    assert "there is no artifact 'app' to release" in str(await failure(await world.start()))


async def test_a_rollout_whose_end_got_lost_is_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_release, "ASK_AGAIN", 0.2)
    releases(world)
    world.plan(REQUEST_ROLLOUT, "*", answers(Ticket(workflow_id="rollout/lost")))
    run = await world.start()
    assert (await run.result()).status == Status.passed
    assert world.count(REQUEST_ROLLOUT) >= 2
    assert len({call.arg.request_id for call in world.of(REQUEST_ROLLOUT)}) == 1
    assert (await world.view(run)).stages[1].rollout_id == f"rollout/staging/{world.service}/1"


async def test_a_reset_behind_a_release_keeps_the_release(world: World, ui: Client) -> None:
    """The environment's answer in the history was for the execution before."""
    releases(world)
    assert world.pipeline is not None
    more = {name: stage.model_dump(mode="json", by_alias=True) for name, stage in world.pipeline.stages.items()}
    world.pipeline = pipeline({**more, "verify": ["deploy"]}, service=world.service)
    world.plan(RUN_STEP, "verify/0", fails())
    run = await world.start()
    await failure(run)
    await reset(ui, run, "verify")
    latest = world.client.get_workflow_handle(run.id, result_type=RunResult)
    assert (await latest.result()).stages == dict.fromkeys(["build", "deploy", "verify"], Status.passed)
    assert world.count(REQUEST_ROLLOUT) == 1
