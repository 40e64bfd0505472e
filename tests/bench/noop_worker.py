"""The product's worker with one more built-in check, `noop`, that ends at once: all that a step costs but its process.

Everything else is as in worker.py: the step's lock, its record on disk, the heartbeats, the results, the database.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import worker
from activities.checks.base import CheckContext, CheckReport, Finished
from activities.checks.registry import CHECKS
from pipelines.builtins import BUILTINS, Builtin, NoOptions
from pipelines.messages.common import Status


class Noop:
    """Passes without doing anything."""

    name = "noop"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> CheckReport:
        return CheckReport(Status.passed)


def install() -> None:
    BUILTINS["noop"] = Builtin("noop", "build", "Does nothing.", NoOptions)
    CHECKS["noop"] = Noop()


if __name__ == "__main__":
    install()
    status = worker.main()
    sys.stdout.flush()
    sys.stderr.flush()
    # As worker.py ends itself.
    os._exit(status)
