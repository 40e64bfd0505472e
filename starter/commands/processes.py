"""What keeps running: worker, proxy, serve, demo. And completion."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pipelines.errors import UserError
from starter.commands.base import Json, load_settings

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


def worker(
    queues: Annotated[str, typer.Option(help="Task queues, with commas. Default: all.")] = "",
) -> None:
    """Serve task queues until SIGTERM; becomes `python worker.py`."""
    from starter.stack.worker import worker_file

    load_settings()
    arguments = ["--queues", queues] if queues else []
    os.execv(sys.executable, [sys.executable, worker_file(), *arguments])  # noqa: S606


def proxy() -> None:
    """Carry the traffic of the local releases until SIGTERM; becomes Traefik."""
    from starter.stack.proxy import PROXY

    settings = load_settings()
    PROXY.before(settings)
    command = PROXY.command(settings)
    os.execv(command[0], command)  # noqa: S606


def serve() -> None:
    """Serve webhooks, API and dashboard until SIGTERM."""
    from starter.serving import serve as until_told

    until_told(load_settings())


def demo(
    interactive: Annotated[bool, typer.Option("--interactive", help="Wait for you to approve.")] = False,
    keep: Annotated[
        bool | None, typer.Option("--keep/--no-keep", help="Leave the stack running afterwards. Default: at a terminal.")
    ] = None,
    as_json: Json = False,
) -> None:
    """A commit's whole way, from the webhook to a canary in production; and a bad one, which is rolled back."""
    from starter.demo import run_demo

    staying = (sys.stdout.isatty() and not as_json) if keep is None else keep
    raise typer.Exit(run_demo(load_settings(), interactive=interactive, as_json=as_json, keep=staying))


def completion(
    shell: Annotated[str, typer.Argument(help="bash, zsh, fish or powershell. Default: from $SHELL.")] = "",
) -> None:
    """Print the shell's completion script: `source <(switchyard completion bash)`."""
    from typer._completion_shared import get_completion_script

    name = shell or os.path.basename(os.environ.get("SHELL", ""))  # noqa: PTH119
    if name not in SHELLS:
        raise UserError(f"'{name}' has no completion", f"Say one of {', '.join(SHELLS)}")
    print(get_completion_script(prog_name="switchyard", complete_var="_SWITCHYARD_COMPLETE", shell=name))


def register(app: typer.Typer) -> None:
    for command in (worker, proxy, serve, demo, completion):
        app.command()(command)
