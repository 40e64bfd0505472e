"""Timeouts and retries of every activity, in one place; all times in seconds.

`start_to_close` bounds one attempt, `schedule_to_start` is only set where a queue belongs to one host, so that its loss is
noticed, `attempts` 0 means until it works. Errors that no retry can mend are named by pipelines.errors and never retried.

What a killed worker had in hand is given to the next one when its heartbeat is overdue, or when start_to_close is over for what
is too short to heartbeat: these times are how long a crash can hold a run up, so they are as short as a busy host allows.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.ports import Pace


@dataclass(frozen=True)
class Policy:
    start_to_close: float
    heartbeat: float | None = None
    attempts: int = 0
    first: float = 0.2
    most: float = 10.0
    backoff: float = 2.0


POLICIES: dict[Pace, Policy] = {
    "quick": Policy(10, attempts=20),
    "record": Policy(10),
    "fetch": Policy(600, heartbeat=5, attempts=6),
    "step": Policy(600, heartbeat=5, attempts=5),
    "collect": Policy(900, heartbeat=5, attempts=6),
    "release": Policy(900, heartbeat=5, attempts=0),
    "traffic": Policy(120, heartbeat=5, attempts=0),
    "watch": Policy(30 * 86400, heartbeat=5),
    "measure": Policy(15, attempts=3),
    "check": Policy(600, heartbeat=5, attempts=3),
    "deliver": Policy(30, first=1, most=300),
    "sweep": Policy(1800, heartbeat=30, attempts=3),
}
"""`step` gets its start_to_close from the step's own timeout; `release` and `traffic` retry until the rollout's deadline
(or, in a rollback, until they work)."""

HOST_SILENT = 20.0
"""Schedule-to-start seconds on a host's own queue after which the host counts as lost."""
