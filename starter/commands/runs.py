"""run, runs, show, retry."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from starter import exit_codes
from starter.commands.base import By, Json, Reason, Ref, Stage, actor, ask, give, load_settings

if TYPE_CHECKING:
    from rich.console import RenderableType
    from temporalio.client import Client

    from pipelines.messages.runs import RolloutView, RunView
    from pipelines.settings import Settings


def run(
    repo: Annotated[str, typer.Option(help="Path or URL to clone. Default: the checkout that you are in.")] = ".",
    sha: Annotated[str, typer.Option(help="Commit, branch or tag. Default: what is checked out, or the default branch.")] = "",
    branch: Annotated[str, typer.Option(help="Branch that the run counts for. Default: the one checked out.")] = "",
    pipeline: Annotated[str, typer.Option(help="Which of the repository's pipelines.")] = "default",
    reuse: Annotated[bool, typer.Option("--reuse/--no-reuse", help="Take over equal stages that have passed before.")] = True,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it; the exit status is the run's.")] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take a commit through its pipeline. A commit that is running or has passed is not started again."""
    from starter import runs
    from starter.checkout import request_for
    from starter.commands.watch import follow

    settings = load_settings()
    request = request_for(repo, sha, branch=branch, pipeline=pipeline, reuse=reuse, actor=actor(by))
    started = ask(lambda client: runs.start(client, request, again=not reuse), settings)
    if watch:
        follow(settings, started.run_id, as_json)
        return
    link = f"{settings.web_url}/runs/{started.run_id}"
    words = "is there already" if started.already else "started"
    give(started, as_json, lambda: f"{started.run_id} {words}\nfollow it: switchyard watch {request.sha[:10]}\nor look: {link}")


def list_runs(
    repo: Annotated[str, typer.Option(help="owner/name")] = "",
    branch: Annotated[str, typer.Option()] = "",
    service: Annotated[str, typer.Option()] = "",
    status: Annotated[str, typer.Option(help="For example running, passed, failed, held.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """The newest runs."""
    from starter import runs

    found = ask(lambda c: runs.list_runs(c, repo=repo, branch=branch, service=service, status=status, limit=limit))

    def table() -> RenderableType:
        from starter.commands.render import runs_table

        return runs_table(found, time.time())

    give(found, as_json, table)


def show(
    ref: Ref,
    exit_status: Annotated[
        bool, typer.Option("--exit-status", help="End with the run's status: 0, 1, or 4 when undecided.")
    ] = False,
    as_json: Json = False,
) -> None:
    """All about one run: stages, steps, times, what it waits for."""
    settings = load_settings()
    view, rollouts = ask(lambda client: look(client, settings, ref), settings)

    def tree() -> RenderableType:
        from starter.commands.render import run_tree

        return run_tree(view, rollouts, time.time())

    give(view, as_json, tree)
    if exit_status:
        raise typer.Exit(exit_codes.of_status(view.status))


async def look(client: Client, settings: Settings, ref: str) -> tuple[RunView, dict[str, RolloutView]]:
    """The run and its rollouts. What Temporal has forgotten comes from the records."""
    from starter import runs
    from starter.records import LateRecords

    view = await runs.describe(client, await runs.resolve(client, ref), LateRecords(settings))
    rollouts = [stage.rollout_id for stage in view.stages if stage.rollout_id]
    return view, {each: await runs.rollout(client, each) for each in rollouts}


def retry(
    ref: Ref,
    stage: Stage = "",
    step: Annotated[int | None, typer.Option(min=0, help="Index of the step to go on from.")] = None,
    reason: Reason = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Run again what failed; what has passed is not repeated."""
    from pipelines.messages.runs import Answer, Retry
    from starter import runs

    asked = Retry(actor=actor(by), reason=reason, stage=stage, step=step)
    answer = ask(lambda client: runs.retry(client, ref, asked))
    give(answer, as_json, lambda: answer.message if isinstance(answer, Answer) else f"{answer.run_id} started again")


def register(app: typer.Typer) -> None:
    app.command()(run)
    app.command("runs")(list_runs)
    app.command()(show)
    app.command()(retry)
