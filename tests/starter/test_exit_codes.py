"""Exit statuses are a contract with scripts: none may move."""

from __future__ import annotations

import pytest

from pipelines import errors
from pipelines.errors import SwitchyardError
from pipelines.messages.common import Status
from starter import exit_codes


def test_the_numbers() -> None:
    assert (exit_codes.OK, exit_codes.FAILED, exit_codes.USAGE, exit_codes.UNREACHABLE, exit_codes.UNDECIDED) == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SpecError", 2), ("SettingsError", 2), ("SourceError", 2), ("NotFound", 2), ("UserError", 2), ("Conflict", 1), ("Denied", 1),
        ("StepFailed", 1), ("GateRefused", 1), ("ReleaseUnhealthy", 1), ("IntegrityError", 1), ("Unavailable", 3), ("Throttled", 3),
        ("Busy", 3), ("HostLost", 3),
    ],
)  # fmt: skip
def test_of_errors(name: str, code: int) -> None:
    kind: type[SwitchyardError] = getattr(errors, name)
    assert exit_codes.of_error(kind("x")) == code


@pytest.mark.parametrize("status", list(Status))
def test_of_statuses(status: Status) -> None:
    undecided = {Status.pending, Status.waiting, Status.running, Status.held}
    expected = 4 if status in undecided else 1 if status in (Status.failed, Status.cancelled) else 0
    assert exit_codes.of_status(status) == expected
