"""What people ask of runs and rollouts: approve, abort, pause, resume, promote, retry, skip.

A question about a run goes to its PipelineWorkflow, or to the RolloutWorkflow that one of its stages waits for.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client

from pipelines.errors import Conflict
from pipelines.messages.common import Status
from pipelines.messages.runs import Abort, Answer, Approve, Pause, Promote, Resume, Retry, RunView, Skip, StageView, Who
from starter.runs.find import resolve
from starter.runs.models import Started, Waiting
from starter.runs.start import start
from starter.runs.view import describe, query, rollout
from starter.temporal_errors import translated

UPDATE_SECONDS = 15.0


def is_rollout(workflow_id: str) -> bool:
    return workflow_id.startswith("rollout/")


async def find_waiting(client: Client, view: RunView) -> list[Waiting]:
    """Everything of the run that waits for people: approvals, rollouts that are paused, failed stages that are held."""
    found = [await _waiting(client, view, stage) for stage in view.stages]
    return [waiting for waiting in found if waiting]


async def _waiting(client: Client, view: RunView, stage: StageView) -> Waiting | None:
    if _rolling(stage):
        seen = await rollout(client, stage.rollout_id)
        text = seen.waiting_for or seen.move
        paused = seen.status == "paused"
        return Waiting(workflow_id=stage.rollout_id, stage=stage.name, kind="rollout", text=text) if paused else None
    if view.status == Status.held and stage.status in (Status.failed, Status.cancelled):
        return Waiting(workflow_id=view.run_id, stage=stage.name, kind="held", text=stage.reason)
    if stage.status == Status.waiting and stage.waiting_for.startswith("approval"):
        return Waiting(workflow_id=view.run_id, stage=stage.name, kind="approval", text=stage.waiting_for)
    return None


def _rolling(stage: StageView) -> bool:
    return bool(stage.rollout_id) and stage.status in (Status.running, Status.waiting)


async def approve(client: Client, ref: str, asked: Approve) -> Answer:
    """Approve (or reject) what waits: the stage `asked.stage`, or the only thing that waits for an approval.

    Raises Conflict when nothing or more than one thing waits, Denied when `asked.actor` may not, NotFound, Unavailable.
    """
    workflow_id = await resolve(client, ref)
    if is_rollout(workflow_id):
        return await _update(client, workflow_id, "approve", asked)
    view = await query(client, workflow_id, RunView)
    waiting = [each for each in await find_waiting(client, view) if each.kind != "held"]
    chosen = _one(workflow_id, [each for each in waiting if asked.stage in ("", each.stage)], "waits for an approval")
    return await _update(client, chosen.workflow_id, "approve", asked.model_copy(update={"stage": chosen.stage}))


def _one(run_id: str, candidates: list[Waiting], what: str) -> Waiting:
    if not candidates:
        raise Conflict(f"nothing of {run_id} {what}", f"'switchyard show {run_id}' says what it is doing")
    if len(candidates) > 1:
        stages = ", ".join(each.stage for each in candidates)
        raise Conflict(f"more than one stage {what}: {stages}", "Say which with --stage")
    return candidates[0]


async def abort(client: Client, ref: str, asked: Abort, stage: str = "") -> Answer:
    """End a run; or a rollout, when `ref` is one or `stage` names the stage that is rolling out: traffic goes back to stable."""
    workflow_id = await resolve(client, ref)
    if stage and not is_rollout(workflow_id):
        workflow_id = await _rollout_of(client, workflow_id, stage)
    return await _update(client, workflow_id, "abort", asked)


async def pause(client: Client, ref: str, asked: Pause, stage: str = "") -> Answer:
    """Hold the rollout under way after its present move. Raises Conflict when there is none, or more than one."""
    return await _update(client, await _rollout_meant(client, ref, stage), "pause", asked)


async def resume(client: Client, ref: str, asked: Resume, stage: str = "") -> Answer:
    """Go on after `pause`."""
    return await _update(client, await _rollout_meant(client, ref, stage), "resume", asked)


async def promote(client: Client, ref: str, asked: Promote, stage: str = "") -> Answer:
    """Skip the pause that a rollout is in, or (`asked.full`) all that is left of its plan. Raises Conflict without a rollout."""
    return await _update(client, await _rollout_meant(client, ref, stage), "promote", asked)


async def skip(client: Client, ref: str, asked: Skip) -> Answer:
    """Let a failed stage of a held run count as passed."""
    return await _update(client, await resolve(client, ref), "skip", asked)


async def retry(client: Client, ref: str, asked: Retry) -> Answer | Started:
    """Of a held run: go on from what failed. A run that ended unsuccessfully starts again under the same id, and takes over what
    had passed. Raises Conflict for a run that passed."""
    workflow_id = await resolve(client, ref)
    view = await describe(client, workflow_id)
    if not view.status.final:
        return await _update(client, workflow_id, "retry", asked)
    if view.status.ok:
        raise Conflict(f"{workflow_id} has passed: nothing to retry", "'switchyard run --no-reuse' runs everything anew")
    return await start(client, view.run, again=True)


async def _rollout_meant(client: Client, ref: str, stage: str) -> str:
    workflow_id = await resolve(client, ref)
    return workflow_id if is_rollout(workflow_id) else await _rollout_of(client, workflow_id, stage)


async def _rollout_of(client: Client, run_id: str, stage: str) -> str:
    view = await query(client, run_id, RunView)
    rolling = [
        Waiting(workflow_id=each.rollout_id, stage=each.name, kind="rollout")
        for each in view.stages
        if _rolling(each) and stage in ("", each.name)
    ]
    return _one(run_id, rolling, "is rolling out").workflow_id


async def _update(client: Client, workflow_id: str, name: str, asked: Who) -> Answer:
    with translated(f"{name} of {workflow_id}"):
        answer: Answer = await client.get_workflow_handle(workflow_id).execute_update(
            name, asked, result_type=Answer, rpc_timeout=timedelta(seconds=UPDATE_SECONDS)
        )
        return answer
