"""releases, rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from starter.commands.base import By, Json, Reason, actor, ask, give, load_settings

if TYPE_CHECKING:
    from rich.console import RenderableType
    from temporalio.client import Client

    from pipelines.messages.deploy import Ticket

Service = Annotated[str, typer.Option("--service", help="Which service, when the environment has several.")]


def releases(
    environment: Annotated[str, typer.Argument(metavar="[ENV]")] = "",
    service: Annotated[str, typer.Option("--service")] = "",
    as_json: Json = False,
) -> None:
    """What runs in the environments, what ran before, and what is under way."""
    from starter import runs

    views = ask(lambda client: runs.releases(client, environment, service))

    def table() -> RenderableType:
        from starter.commands.render import releases_table

        return releases_table(views)

    give(views, as_json, table)


def rollback(
    environment: Annotated[str, typer.Argument(metavar="ENV")],
    service: Service = "",
    to: Annotated[str, typer.Option("--to", help="Release id. Default: the one before the present one.")] = "",
    window: Annotated[
        float, typer.Option(min=0, help="Seconds: a release younger than that comes back without pauses.")
    ] = 86400.0,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it until it has ended.")] = False,
    reason: Reason = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Return an environment to an earlier release."""
    from pipelines.messages.deploy import RollbackRequest
    from starter import runs
    from starter.commands.watch import follow

    async def turn_back(client: Client) -> Ticket:
        place = await runs.the_place(client, environment, service)
        asked = RollbackRequest(place=place, to=to or None, actor=actor(by), reason=reason, window=window)
        return await runs.rollback(client, asked)

    settings = load_settings()
    ticket = ask(turn_back, settings)
    queued = f", {ticket.ahead} before it" if ticket.ahead else ""
    give(ticket, as_json, lambda: f"rolling back: {ticket.workflow_id}{queued}")
    if watch:
        follow(settings, ticket.workflow_id, as_json)


def register(app: typer.Typer) -> None:
    app.command()(releases)
    app.command()(rollback)
