"""How workflows end, for tests."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError


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
