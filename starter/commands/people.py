"""What people decide: approve, abort, pause, resume, promote, skip."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from starter.commands.base import By, Json, Reason, Ref, Stage, actor, ask, give

if TYPE_CHECKING:
    from temporalio.client import Client

    from pipelines.messages.runs import Answer


def approve(
    ref: Ref,
    stage: Stage = "",
    reject: Annotated[bool, typer.Option("--reject", help="Say no instead.")] = False,
    reason: Reason = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Approve the stage or rollout that waits for it."""
    from pipelines.messages.runs import Approve
    from starter import runs

    asked = Approve(actor=actor(by), reason=reason, stage=stage, approved=not reject)
    _answer(lambda client: runs.approve(client, ref, asked), as_json)


def abort(ref: Ref, stage: Stage = "", reason: Reason = "", by: By = "", as_json: Json = False) -> None:
    """End a run: running steps are killed, rollouts go back to stable. With --stage, or a rollout's id: only that rollout."""
    from pipelines.messages.runs import Abort
    from starter import runs

    asked = Abort(actor=actor(by), reason=reason)
    _answer(lambda client: runs.abort(client, ref, asked, stage), as_json)


def pause(ref: Ref, stage: Stage = "", reason: Reason = "", by: By = "", as_json: Json = False) -> None:
    """Hold a rollout after its present move."""
    from pipelines.messages.runs import Pause
    from starter import runs

    asked = Pause(actor=actor(by), reason=reason)
    _answer(lambda client: runs.pause(client, ref, asked, stage), as_json)


def resume(ref: Ref, stage: Stage = "", reason: Reason = "", by: By = "", as_json: Json = False) -> None:
    """Let a paused rollout go on."""
    from pipelines.messages.runs import Resume
    from starter import runs

    asked = Resume(actor=actor(by), reason=reason)
    _answer(lambda client: runs.resume(client, ref, asked, stage), as_json)


def promote(
    ref: Ref,
    full: Annotated[bool, typer.Option("--full", help="Skip all pauses and analyses that are left.")] = False,
    stage: Stage = "",
    reason: Reason = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Skip the pause that a rollout is in, or with --full the rest of its plan."""
    from pipelines.messages.runs import Promote
    from starter import runs

    asked = Promote(actor=actor(by), reason=reason, full=full)
    _answer(lambda client: runs.promote(client, ref, asked, stage), as_json)


def skip(
    ref: Ref,
    stage: Annotated[str, typer.Option("--stage", "-s", help="The failed stage.")],
    reason: Reason = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Let a failed stage of a held run count as passed."""
    from pipelines.messages.runs import Skip
    from starter import runs

    asked = Skip(actor=actor(by), reason=reason, stage=stage)
    _answer(lambda client: runs.skip(client, ref, asked), as_json)


def _answer(work: Callable[[Client], Awaitable[Answer]], as_json: bool) -> None:
    answer = ask(work)
    give(answer, as_json, lambda: answer.message)


def register(app: typer.Typer) -> None:
    for command in (approve, abort, pause, resume, promote, skip):
        app.command()(command)
