"""Looking at runs and rollouts: asked of the workflow; without a worker, of what Temporal and the records know."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol, TypeVar

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from pipelines.errors import NotFound, Unavailable
from pipelines.messages.common import RunRequest
from pipelines.messages.notify import RunRecord
from pipelines.messages.runs import RolloutView, RunResult, RunView, StageView
from starter.runs.find import request_of, status_of
from starter.temporal_errors import translated

QUERY_SECONDS = 3.0
V = TypeVar("V", bound=BaseModel)


class KnownRuns(Protocol):
    """The records, for runs that Temporal has forgotten."""

    def get(self, run_id: str) -> RunRecord | None: ...


async def query(client: Client, workflow_id: str, gives: type[V]) -> V:
    """A workflow's view of itself. Raises NotFound, or Unavailable when no worker answers."""
    with translated(workflow_id):
        view: V = await client.get_workflow_handle(workflow_id).query(
            "view", result_type=gives, rpc_timeout=timedelta(seconds=QUERY_SECONDS)
        )
        return view


async def describe(client: Client, run_id: str, records: KnownRuns | None = None) -> RunView:
    """All about a run. Without a worker stages and steps are missing; what Temporal has forgotten comes from `records`.

    Raises NotFound, Unavailable.
    """
    try:
        return await query(client, run_id, RunView)
    except Unavailable:
        return await _outline(client, run_id)
    except NotFound:
        record = records.get(run_id) if records else None
        if record is None:
            raise
        return _recorded(record)


async def rollout(client: Client, workflow_id: str) -> RolloutView:
    """All about a rollout. Raises NotFound, Unavailable."""
    return await query(client, workflow_id, RolloutView)


async def _outline(client: Client, run_id: str) -> RunView:
    """What Temporal itself can say about a run that no worker answers for."""
    handle = client.get_workflow_handle(run_id)
    with translated(run_id):
        found = await handle.describe()
    result = await _result(client, found) if found.close_time else None
    status = status_of(found)
    return RunView(
        run=await request_of(found),
        run_id=run_id,
        execution=found.run_id,
        status=result.status if result else status,
        reason=result.reason if result else "no worker answers, so stages are not shown; 'switchyard doctor' looks",
        started_at=found.start_time.timestamp(),
        finished_at=found.close_time.timestamp() if found.close_time else None,
        stages=[StageView(name=name, status=each) for name, each in result.stages.items()] if result else [],
    )


async def _result(client: Client, found: WorkflowExecutionDescription) -> RunResult:
    handle = client.get_workflow_handle(found.id, run_id=found.run_id, result_type=RunResult)
    try:
        with translated(found.id):
            result: RunResult = await handle.result(follow_runs=False)
            return result
    except WorkflowFailureError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.details:
            return RunResult.model_validate(cause.details[0])
        return RunResult(run_id=found.id, status=status_of(found), reason=str(cause))


def _recorded(record: RunRecord) -> RunView:
    shared = set(RunRequest.model_fields) & set(RunRecord.model_fields)
    known = record.model_dump(include=shared)
    return RunView(
        run=RunRequest(**known, provider=record.run_id.split("/")[0], clone_url=""),
        run_id=record.run_id,
        execution=record.execution,
        status=record.status,
        reason=record.reason,
        service=record.service,
        version=record.version,
        started_at=record.started_at,
        finished_at=record.finished_at,
    )
