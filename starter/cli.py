"""The command line. Every command loads what it needs when it runs, so that short ones answer at once.

Exit status: 0 done or passed, 1 failed or refused, 2 wrong use, 3 a server does not answer, 4 still going or held open.
"""

from __future__ import annotations

import gc

import typer

from starter.commands import definition, logs, people, processes, records, releases, runs, stack, watch
from starter.commands.base import Commands

# A short command ends before a collection would pay; those that stay turn it on again.
gc.disable()

app = typer.Typer(
    cls=Commands,
    help="Take commits through checking, building and zero-downtime delivery, and survive every crash.",
    epilog="Exit status: 0 done or passed, 1 failed or refused, 2 wrong use, 3 a server does not answer, 4 still going or held.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (runs, watch, logs, people, releases, definition, records, stack, processes):
    group.register(app)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
