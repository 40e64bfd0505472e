"""Temporal's errors as Switchyard's: translated here and nowhere else in this layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.client import (
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from pipelines import errors
from pipelines.errors import Conflict, Denied, NotFound, SwitchyardError, Throttled, Unavailable, UserError

_NO_WORKER = "See 'switchyard doctor'; 'switchyard up' starts a missing worker"
_BY_STATUS: dict[RPCStatusCode, tuple[type[SwitchyardError], str]] = {
    RPCStatusCode.NOT_FOUND: (NotFound, "See 'switchyard runs' for what there is"),
    RPCStatusCode.PERMISSION_DENIED: (Denied, "Check the API key or the certificate of the Temporal profile"),
    RPCStatusCode.UNAUTHENTICATED: (Denied, "Check the API key or the certificate of the Temporal profile"),
    RPCStatusCode.INVALID_ARGUMENT: (UserError, ""),
    RPCStatusCode.RESOURCE_EXHAUSTED: (Throttled, "Try again in a moment"),
    RPCStatusCode.FAILED_PRECONDITION: (Unavailable, _NO_WORKER),
    RPCStatusCode.DEADLINE_EXCEEDED: (Unavailable, _NO_WORKER),
    RPCStatusCode.CANCELLED: (Unavailable, _NO_WORKER),
    RPCStatusCode.UNAVAILABLE: (Unavailable, "Is the server up? 'switchyard doctor' looks"),
}


def from_rpc(error: RPCError, subject: str) -> SwitchyardError:
    """The error to raise instead of Temporal's; `subject` is what was asked, in words."""
    if error.status == RPCStatusCode.NOT_FOUND and "already completed" in error.message:
        return Conflict(f"{subject} has ended already", "'switchyard retry' starts a failed run again")
    kind, remedy = _BY_STATUS.get(error.status, (Unavailable, "'switchyard doctor' says what is wrong"))
    return kind(f"{subject}: {error.message.rstrip('.')}", remedy)


def from_failure(cause: BaseException) -> SwitchyardError:
    """What a workflow refused, in its own words and of the class that it named."""
    if not isinstance(cause, ApplicationError):
        return Conflict(str(cause))
    kind = getattr(errors, cause.type or "", None)
    if isinstance(kind, type) and issubclass(kind, SwitchyardError):
        return kind(cause.message)
    return Conflict(cause.message)


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Within it Temporal's errors leave as SwitchyardErrors about `subject`."""
    try:
        yield
    except WorkflowUpdateFailedError as error:
        raise from_failure(error.cause) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise Unavailable(f"{subject}: no worker answered in time", _NO_WORKER) from None
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise Unavailable(f"{subject} cannot be seen: {error}", _NO_WORKER) from None
    except RPCError as error:
        raise from_rpc(error, subject) from None
