"""Exit statuses are a contract with scripts: none may move."""

from __future__ import annotations

import pytest

from pipelines import errors
from pipelines.errors import SwitchyardError
from pipelines.messages.common import Status
from starter import exit_codes


def test_the_numbers() -> None:
    assert (exit_codes.OK, exit_codes.FAILED, exit_codes.USAGE, exit_codes.UNREACHABLE, exit_codes.UNDECIDED) == (0, 1, 2, 3, 4)


REFUSED = ("Conflict", "Denied", "StepFailed", "GateRefused", "ReleaseUnhealthy", "IntegrityError")
WRONG = ("UserError", "SpecError", "SettingsError", "SourceError", "NotFound")
AWAY = ("Unavailable", "Throttled", "Busy", "HostLost")


@pytest.mark.parametrize(
    ("name", "code"), [*((name, 1) for name in REFUSED), *((name, 2) for name in WRONG), *((name, 3) for name in AWAY)]
)
def test_of_errors(name: str, code: int) -> None:
    kind: type[SwitchyardError] = getattr(errors, name)
    assert exit_codes.of_error(kind("x")) == code


@pytest.mark.parametrize("status", list(Status))
def test_of_statuses(status: Status) -> None:
    undecided = {Status.pending, Status.waiting, Status.running, Status.held}
    expected = 4 if status in undecided else 1 if status in (Status.failed, Status.cancelled) else 0
    assert exit_codes.of_status(status) == expected
