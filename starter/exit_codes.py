"""What a command's exit status tells a script."""

from __future__ import annotations

from pipelines.errors import Conflict, Denied, InfrastructureError, RealFailure, SwitchyardError
from pipelines.messages.common import Status

OK = 0
FAILED = 1
"""The run failed, or what was asked was refused in the state that things are in."""
USAGE = 2
"""The command, a file, a setting or a name is wrong; nothing was done."""
UNREACHABLE = 3
"""Temporal, a worker or another server does not answer."""
UNDECIDED = 4
"""The run is still going, or is held open after a failure and waits for retry, skip or abort."""
INTERRUPTED = 130
"""Ctrl-C, as shells say it."""


def of_error(error: SwitchyardError) -> int:
    """Exit status for an error that ends a command."""
    if isinstance(error, Conflict | Denied | RealFailure):
        return FAILED
    return UNREACHABLE if isinstance(error, InfrastructureError) else USAGE


def of_status(status: Status) -> int:
    """Exit status that stands for a run's status."""
    if not status.final:
        return UNDECIDED
    return OK if status.ok else FAILED
