"""How workflows call activities: by port, with the timeouts and retries of pipelines/policy.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError, TimeoutType, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType, ActivityHandle

from pipelines.errors import HostLost, WorkspaceLost, non_retryable_types
from pipelines.policy import HOST_SILENT, POLICIES, Policy
from pipelines.ports import Port

I = TypeVar("I", bound=BaseModel)  # noqa: E741
O = TypeVar("O", bound=BaseModel)  # noqa: E741

_FINAL_ERRORS = non_retryable_types()
_GONE = (HostLost.__name__, WorkspaceLost.__name__)


def start(
    port: Port[I, O],
    arg: I,
    summary: str,
    *,
    queue: str | None = None,
    timeout: float | None = None,
    attempts: int | None = None,
) -> ActivityHandle[O]:
    """Schedule the port's activity. `queue`: the workspace host's, for ports without one; `timeout`: one attempt's bound.

    Cancelling waits until the activity says that it has stopped, so that no effect comes after what follows it.
    """
    policy = POLICIES[port.pace]
    on_host = port.queue is None
    return workflow.start_activity(
        port.name,
        arg,
        result_type=port.gives,
        task_queue=queue or port.queue,
        summary=summary[:200],
        start_to_close_timeout=timedelta(seconds=timeout or policy.start_to_close),
        heartbeat_timeout=timedelta(seconds=policy.heartbeat) if policy.heartbeat else None,
        schedule_to_start_timeout=timedelta(seconds=HOST_SILENT) if on_host else None,
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
        if policy.heartbeat
        else ActivityCancellationType.TRY_CANCEL,
        retry_policy=_retry(policy, attempts),
    )


async def call(port: Port[I, O], arg: I, summary: str, **options: Any) -> O:
    """`start`, and wait for the result. Raises ActivityError, or CancelledError when the caller's task was cancelled.

    The SDK gives a cancelled activity's own answer, be it a result or a failure; here a cancelled caller always hears
    its cancellation, so that nothing goes on by mistake.
    """
    try:
        result: O = await start(port, arg, summary, **options)
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise asyncio.CancelledError from error
        raise
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    return result


async def call_unless(given_up: Callable[[], bool], port: Port[I, O], arg: I, summary: str, **options: Any) -> O | None:
    """`call`; None when it was given up in between: then the activity was cancelled and has stopped."""
    task = asyncio.create_task(call(port, arg, summary, **options))
    try:
        await workflow.wait_condition(lambda: task.done() or given_up())
    except asyncio.CancelledError:
        await _stopped(task)
        raise
    await _stopped(task)
    return None if given_up() else task.result()


async def _stopped(task: asyncio.Task[Any]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def undisturbed() -> None:
    """Called by compensation in a cancelled task: what it calls from here on is not cancelled any more."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()


def _retry(policy: Policy, attempts: int | None) -> RetryPolicy:
    return RetryPolicy(
        initial_interval=timedelta(seconds=policy.first),
        maximum_interval=timedelta(seconds=policy.most),
        backoff_coefficient=policy.backoff,
        maximum_attempts=policy.attempts if attempts is None else attempts,
        non_retryable_error_types=_FINAL_ERRORS,
    )


def host_lost(error: ActivityError) -> bool:
    """True when the workspace is gone: nobody took the task from its host's own queue in time, or the host says so itself."""
    cause = error.cause
    if isinstance(cause, TimeoutError):
        return cause.type == TimeoutType.SCHEDULE_TO_START
    return isinstance(cause, ApplicationError) and cause.type in _GONE


def why(error: BaseException) -> str:
    """The reason inside an activity's or child's failure, in the words of whoever raised it."""
    cause = error.__cause__
    while cause is not None:
        error, cause = cause, cause.__cause__
    if isinstance(error, TimeoutError):
        return f"no answer in time ({error.type.name.lower().replace('_', ' ') if error.type else 'timeout'})"
    return getattr(error, "message", "") or str(error) or type(error).__name__


def refuse(message: str, kind: str = "Conflict") -> ApplicationError:
    """What an update's validator or handler raises: the caller gets the message, the workflow is not harmed."""
    return ApplicationError(message, type=kind, non_retryable=True)
