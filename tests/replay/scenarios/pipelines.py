"""Scenarios of PipelineWorkflow: every way that a run can take."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle

from pipelines.errors import SourceError, Unavailable
from pipelines.messages.quality import GateDecision
from pipelines.messages.runs import Abort, Approve, Retry, RunResult, Skip
from pipelines.ports import EVALUATE_GATE, REQUEST_ROLLOUT, RESOLVE, RUN_STEP, SEAL_STAGE
from tests.replay.scenarios.registry import scenario
from tests.support.fakes import Gate, World, answers, fails, loses_host, pipeline, raises, step, waits

Run = WorkflowHandle[Any, RunResult]


async def _ended(run: Run) -> Run:
    """However it ends."""
    try:
        await run.result()
    except WorkflowFailureError:
        return run
    return run


@scenario
async def pipeline_passed(world: World) -> Run:
    world.pipeline = pipeline({"build": [], "test": ["build"], "lint": ["build"], "pack": ["test", "lint"]})
    return await _ended(await world.start())


@scenario
async def pipeline_with_every_part_of_a_stage(world: World) -> Run:
    """Matrix, conditions, environment, gate, checks, secrets, a step that may fail, retries of both kinds."""
    world.pipeline = pipeline(
        {
            "build": {"steps": [step(allow_failure=True), {"run": "pack", "secrets": ["KEY"]}], "retry": {"failure": 1}},
            "test": {"needs": ["build"], "matrix": {"py": [3.11, 3.12]}, "steps": [{"uses": "pytest"}], "gate": {}},
            "docs": {"steps": [step("docs")], "when": {"branch": ["docs"]}},
            "verify": {"needs": ["test"], "environment": "staging", "checks": [{"path": "/"}]},
        },
        service=world.service,
        secrets={"KEY": {"env": "KEY"}},
    )
    world.plan(RUN_STEP, "build/0", fails())
    world.plan(RUN_STEP, "build/1", raises(Unavailable("disk")), fails("flaky"))
    return await _ended(await world.start())


@scenario
async def pipeline_of_a_fork(world: World) -> Run:
    refs = {"TOKEN": {"env": "T"}}
    world.pipeline = pipeline({"build": {"steps": [step()], "secrets": ["TOKEN"]}}, secrets=refs)
    return await _ended(await world.start(world.request(event="pull_request", fork=True)))


@scenario
async def pipeline_not_triggered(world: World) -> Run:
    world.pipeline = pipeline({"build": []}, on={"push": ["release/*"]})
    return await _ended(await world.start())


@scenario
async def pipeline_without_a_commit(world: World) -> Run:
    world.plan(RESOLVE, "*", raises(SourceError("there is no such commit", "Push it")))
    return await _ended(await world.start())


@scenario
async def pipeline_reused(world: World) -> Run:
    world.pipeline = pipeline({"build": [], "test": ["build"]})
    await _ended(await world.start())
    return await _ended(await world.start())


@scenario
async def pipeline_failed_and_closed(world: World) -> Run:
    world.pipeline = pipeline({"build": [], "slow": []})
    slow = Gate()
    world.plan(RUN_STEP, "build/0", waits(slow, fails("2 problems")))
    world.plan(RUN_STEP, "slow/0", waits(Gate()))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1 and world.count(RUN_STEP) == 2)
    slow.open()
    return await _ended(run)


@scenario
async def pipeline_without_fail_fast(world: World) -> Run:
    world.pipeline = pipeline({"bad": [], "good": [], "after": ["good"]}, fail_fast=False, hold=0.2)
    world.plan(RUN_STEP, "bad/0", fails())
    return await _ended(await world.start())


async def _held(world: World, *bad: str) -> Run:
    world.pipeline = pipeline({"a": {"steps": [step("x"), step("y")]}, "b": [], "c": ["a", "b"]}, hold=600)
    for key in bad:
        world.plan(RUN_STEP, key, fails("no"))
    run = await world.start()
    await world.until_run(run, "held")
    return run


@scenario
async def pipeline_retried(world: World) -> Run:
    run = await _held(world, "a/1")
    await run.execute_update("retry", Retry(actor="ann"))
    return await _ended(run)


@scenario
async def pipeline_retried_from_a_step(world: World) -> Run:
    run = await _held(world, "a/1")
    await run.execute_update("retry", Retry(actor="ann", stage="a", step=0))
    return await _ended(run)


@scenario
async def pipeline_skipped_by_somebody(world: World) -> Run:
    run = await _held(world, "a/1")
    await run.execute_update("skip", Skip(actor="ann", stage="a", reason="known"))
    return await _ended(run)


@scenario
async def pipeline_aborted_while_held(world: World) -> Run:
    run = await _held(world, "a/1")
    await run.execute_update("abort", Abort(actor="ann", reason="wrong"))
    return await _ended(run)


async def _busy(world: World, **more: Any) -> Run:
    slow = Gate()
    world.pipeline = pipeline({"a": [], "b": []}, **more)
    world.always(RUN_STEP, "*", waits(slow))
    run = await world.start()
    await world.until(lambda: slow.waiting == 2)
    return run


@scenario
async def pipeline_aborted(world: World) -> Run:
    run = await _busy(world)
    await run.execute_update("abort", Abort(actor="ann", reason="wrong"))
    return await _ended(run)


@scenario
async def pipeline_cancelled(world: World) -> Run:
    run = await _busy(world)
    await run.cancel()
    return await _ended(run)


@scenario
async def pipeline_aborted_while_fetching(world: World) -> Run:
    slow = Gate()
    world.plan(RESOLVE, "*", waits(slow))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1)
    await run.execute_update("abort", Abort(actor="ann"))
    return await _ended(run)


@scenario
async def pipeline_timed_out(world: World) -> Run:
    world.pipeline = pipeline({"a": []}, timeout=0.3)
    world.plan(RUN_STEP, "a/0", waits(Gate()))
    return await _ended(await world.start())


@scenario
async def pipeline_stage_timed_out(world: World) -> Run:
    world.pipeline = pipeline({"a": {"steps": [step()], "timeout": 0.3}})
    world.plan(RUN_STEP, "a/0", waits(Gate()))
    return await _ended(await world.start())


@scenario
async def pipeline_cancelled_by_its_group(world: World) -> Run:
    run = await _busy(world, concurrency={"policy": "cancel-in-progress"})
    world.always(RUN_STEP, "*", None)
    await _ended(await world.start())
    return await _ended(run)


@scenario
async def pipeline_queued_in_its_group(world: World) -> Run:
    slow = Gate()
    world.pipeline = pipeline({"a": {"steps": [step()], "concurrency": f"stage-{world.token}"}}, concurrency={})
    world.plan(RUN_STEP, "a/0", waits(slow))
    await world.start()
    await world.until(lambda: slow.waiting == 1)
    second = await world.start(world.request(reuse=False))
    await world.until_run(second, "waiting")
    slow.open()
    return await _ended(second)


async def _asking(world: World, **spec: Any) -> Run:
    world.pipeline = pipeline({"deploy": {"steps": [step()], "approval": spec}})
    run = await world.start()
    await world.until_view(run, lambda view: any(stage.status == "waiting" for stage in view.stages))
    return run


@scenario
async def pipeline_approved(world: World) -> Run:
    run = await _asking(world, count=2)
    await run.execute_update("approve", Approve(actor="ann"))
    await run.execute_update("approve", Approve(actor="bea"))
    return await _ended(run)


@scenario
async def pipeline_rejected(world: World) -> Run:
    run = await _asking(world)
    await run.execute_update("approve", Approve(actor="ann", approved=False, reason="friday"))
    return await _ended(run)


@scenario
async def pipeline_not_approved_in_time(world: World) -> Run:
    world.pipeline = pipeline({"deploy": {"steps": [step()], "approval": {"timeout": 0.1}}})
    return await _ended(await world.start())


@scenario
async def pipeline_gate_refused(world: World) -> Run:
    world.pipeline = pipeline({"check": {"steps": [step()], "gate": {}}})
    world.plan(EVALUATE_GATE, "check", answers(GateDecision(passed=False, reasons=["coverage 61 %"], evidence=["61 %"])))
    return await _ended(await world.start())


@scenario
async def pipeline_host_lost(world: World) -> Run:
    """Under two stages that share the workspace, one of them in its second step."""
    slow = Gate()
    world.pipeline = pipeline({"a": {"steps": [step("x"), step("y")]}, "b": []})
    world.plan(RUN_STEP, "a/1", waits(Gate()))
    world.plan(RUN_STEP, "b/0", waits(slow, loses_host()))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1 and world.count(RUN_STEP, "a/1") == 1)
    slow.open()
    return await _ended(run)


@scenario
async def pipeline_host_silent(world: World) -> Run:
    """Takes as long as a silent host is waited for."""
    world.pipeline = pipeline({"a": []})
    world.host = "gone"
    run = await world.start()
    await world.until(lambda: world.workspaces != {})
    world.move_to("b")
    return await _ended(run)


@scenario
async def pipeline_workspace_lost_before_sealing(world: World) -> Run:
    world.pipeline = pipeline({"a": []})
    world.plan(SEAL_STAGE, "a", loses_host())
    return await _ended(await world.start())


CANARY = {"strategy": "canary", "steps": [{"setWeight": 20}, {"pause": {}}], "scaleDownDelay": 0, "drain": 0}


def _releases(world: World) -> None:
    build = {"steps": [step()], "artifacts": [{"name": "app", "paths": ["dist"]}]}
    deploy = {"needs": ["build"], "environment": "staging", "release": {"process": {"command": "serve"}}, "rollout": CANARY}
    world.pipeline = pipeline({"build": build, "deploy": deploy}, service=world.service)


@scenario
async def pipeline_released(world: World) -> Run:
    _releases(world)
    return await _ended(await world.start())


@scenario
async def pipeline_aborted_while_releasing(world: World) -> Run:
    await pipeline_released(world)
    world.tree += "-2"
    run = await world.start()
    await world.until(lambda: 20 in world.cluster.weights(f"staging/{world.service}").values())
    await run.execute_update("abort", Abort(actor="ann", reason="wrong"))
    return await _ended(run)


@scenario
async def pipeline_aborted_while_asking_for_a_release(world: World) -> Run:
    slow = Gate()
    _releases(world)
    world.plan(REQUEST_ROLLOUT, "*", waits(slow))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1)
    await run.execute_update("abort", Abort(actor="ann"))
    slow.open()
    return await _ended(run)
