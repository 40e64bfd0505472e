"""Temporal's errors leave as ours, with a remedy; what a workflow refused keeps its class and words."""

from __future__ import annotations

import pytest
from temporalio.client import (
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError, RPCStatusCode

from pipelines.errors import (
    Conflict,
    Denied,
    GateRefused,
    NotFound,
    SwitchyardError,
    Throttled,
    Unavailable,
    UserError,
)
from starter import exit_codes
from starter.temporal_errors import from_failure, from_rpc, translated

STATUS = RPCStatusCode


def rpc(status: RPCStatusCode, message: str = "because.") -> RPCError:
    return RPCError(message, status, b"")


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (STATUS.NOT_FOUND, NotFound, exit_codes.USAGE),
        (STATUS.PERMISSION_DENIED, Denied, exit_codes.FAILED),
        (STATUS.UNAUTHENTICATED, Denied, exit_codes.FAILED),
        (STATUS.INVALID_ARGUMENT, UserError, exit_codes.USAGE),
        (STATUS.RESOURCE_EXHAUSTED, Throttled, exit_codes.UNREACHABLE),
        (STATUS.UNAVAILABLE, Unavailable, exit_codes.UNREACHABLE),
        (STATUS.DEADLINE_EXCEEDED, Unavailable, exit_codes.UNREACHABLE),
        (STATUS.FAILED_PRECONDITION, Unavailable, exit_codes.UNREACHABLE),
        (STATUS.INTERNAL, Unavailable, exit_codes.UNREACHABLE),
    ],
)
def test_each_status_has_its_class(status: RPCStatusCode, kind: type[SwitchyardError], code: int) -> None:
    found = from_rpc(rpc(status), "the list")
    assert type(found) is kind
    assert found.message == "the list: because"
    assert exit_codes.of_error(found) == code


def test_what_has_ended_is_a_conflict_rather_than_missing() -> None:
    found = from_rpc(rpc(STATUS.NOT_FOUND, "workflow execution already completed"), "skip of x")
    assert isinstance(found, Conflict)
    assert "retry" in found.remedy


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (ApplicationError("no", type="Denied"), Denied),
        (ApplicationError("no", type="GateRefused"), GateRefused),
        (ApplicationError("no", type="SomethingElse"), Conflict),
        (ApplicationError("no", type="annotations"), Conflict),
        (ApplicationError("no"), Conflict),
        (CancelledError("no"), Conflict),
    ],
)
def test_refusals_keep_their_class_and_words(cause: BaseException, kind: type[SwitchyardError]) -> None:
    found = from_failure(cause)
    assert type(found) is kind
    assert found.message == "no"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (WorkflowUpdateFailedError(ApplicationError("too late", type="Conflict")), Conflict, "too late"),
        (WorkflowUpdateRPCTimeoutOrCancelledError(), Unavailable, "x: no worker answered in time"),
        (WorkflowQueryFailedError("unknown query"), Unavailable, "x cannot be seen: unknown query"),
        (WorkflowQueryRejectedError(None), Unavailable, "x cannot be seen"),
        (rpc(STATUS.NOT_FOUND), NotFound, "x: because"),
    ],
)
def test_the_context_translates_them_all(error: Exception, kind: type[SwitchyardError], words: str) -> None:
    with pytest.raises(kind, match=words) as told, translated("x"):
        raise error
    assert told.value.__cause__ is None


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), translated("x"):
        raise ZeroDivisionError
