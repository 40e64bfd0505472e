"""The command line. Every command loads what it needs when it runs, so that short ones answer at once.

Exit status: 0 done or passed, 1 failed or refused, 2 wrong use, 3 a server does not answer, 4 still going or held open.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

import typer

from starter import exit_codes
from starter.commands import definition, logs, people, processes, records, releases, runs, stack, watch
from starter.commands.base import Commands

# A short command ends before a collection would pay; those that stay turn it on again.
gc.disable()

app = typer.Typer(
    cls=Commands,
    help="Take commits through checking, building and zero-downtime delivery, and survive every crash.",
    epilog="Exit status: 0 done or passed, 1 failed or refused, 2 wrong use, 3 a server does not answer, 4 still going or held.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (runs, watch, logs, people, releases, definition, records, stack, processes):
    group.register(app)


def main() -> NoReturn:
    """Run the command and end at once. Temporal's runtime has threads of its own, which an interpreter that is being torn down
    does not survive: it would end with SIGABRT instead of the command's exit status."""
    status: object = exit_codes.OK
    try:
        app()
    except SystemExit as ending:
        status = ending.code
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = exit_codes.FAILED
    os._exit(status if isinstance(status, int) else exit_codes.OK if status is None else exit_codes.FAILED)


if __name__ == "__main__":
    main()
