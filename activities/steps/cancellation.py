"""Why an activity was told to stop: whether its process must end, or will be taken over."""

from __future__ import annotations

import asyncio
from typing import Literal

from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

_PATIENCE = 3.0

Why = Literal["abort", "pause", "hand-over"]


async def why_cancelled() -> Why:
    """`abort`: nobody wants the step any more. `pause`: Temporal's own pause or reset of the activity. `hand-over`: this worker
    shuts down, or the attempt was given up; the next one takes the running process over."""
    if not activity.in_activity():
        return "abort"
    details = activity.cancellation_details()
    if details is None:
        return "hand-over"
    if details.cancel_requested:
        return "abort"
    if details.paused or details.reset:
        return "pause"
    if details.not_found and not details.worker_shutdown:
        return "hand-over" if await _wanted() else "abort"
    return "hand-over"


async def _wanted() -> bool:
    """Whether the workflow still runs: then this attempt has timed out and there will be another. In doubt it is wanted."""
    info = activity.info()
    if not info.workflow_id:
        return False
    try:
        async with asyncio.timeout(_PATIENCE):
            found = await activity.client().get_workflow_handle(info.workflow_id).describe()
    except RPCError as error:
        return error.status != RPCStatusCode.NOT_FOUND
    except TimeoutError:
        return True
    return found.status == WorkflowExecutionStatus.RUNNING
