"""How workflows end and begin again, for tests."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from pipelines.ports import OPEN_STAGE


async def failure(run: WorkflowHandle[Any, Any]) -> ApplicationError:
    """What a workflow that failed says."""
    with pytest.raises(WorkflowFailureError) as caught:
        await run.result()
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause


async def refusal(run: WorkflowHandle[Any, Any], update: str, asked: Any) -> str:
    """Why the workflow does not take an update."""
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await run.execute_update(update, asked)
    return str(caught.value.cause)


async def reset(ui: Client, run: WorkflowHandle[Any, Any], stage: str) -> None:
    """To the workflow task before the stage was opened, as the Web UI's Reset does."""
    task = 0
    for event in (await run.fetch_history()).events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            task = event.event_id
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == OPEN_STAGE.name and f'"stage":"{stage}"'.encode() in scheduled.input.payloads[0].data:
            break
    await ui.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=ui.namespace,
            workflow_execution=WorkflowExecution(workflow_id=run.id),
            reason="again from here",
            workflow_task_finish_event_id=task,
            request_id=f"reset-{run.id}"[:200],
            reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
        )
    )
