"""up, down, status, doctor, config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from starter import exit_codes
from starter.commands.base import Json, give, load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from starter.doctor import Check
    from starter.stack.stack import PartState, Tell

Only = Annotated[list[str], typer.Option("--only", help="Only this part: temporal, proxy, worker or web. May be repeated.")]


def up(only: Only = [], as_json: Json = False) -> None:  # noqa: B006
    """Start what is missing of the local stack, and wait until all of it is healthy."""
    from starter.stack import stack

    settings = load_settings()
    states = stack.up(settings, only, _say(as_json))
    ways = f"dashboard: {settings.web_url}\nTemporal:  {settings.ui_url}\ntoken:     {settings.state_dir / 'token'}"
    give(states, as_json, lambda: ways)


def down(
    only: Only = [],  # noqa: B006
    releases: Annotated[bool, typer.Option("--releases", help="Also end the released services that run here.")] = False,
    as_json: Json = False,
) -> None:
    """Stop what `up` started, and nothing else. Released services keep running, unless --releases."""
    from starter.stack import stack
    from starter.stack.releases import end_releases

    settings = load_settings()
    states = stack.down(settings, only, _say(as_json))
    if releases:
        states += end_releases(settings, _say(as_json))
    give(states, as_json, lambda: "down")


def status(as_json: Json = False) -> None:
    """How the parts of the local stack are. Ends with 3 when one is not healthy."""
    from starter.stack import stack

    states = stack.status(load_settings())
    give(states, as_json, lambda: _states_table(states))
    if any(each.state not in ("healthy", "external") for each in states):
        raise typer.Exit(exit_codes.UNREACHABLE)


def _say(as_json: bool) -> Tell:
    return (lambda text: None) if as_json else (lambda text: print(text, flush=True))


def _states_table(states: Sequence[PartState]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table("PART", "STATE", "PID", "ADDRESS", "LOG", box=None, pad_edge=False)
    for each in states:
        table.add_row(*map(Text, (each.name, each.state, str(each.pid or ""), each.address, each.log)))
    return table


def doctor(as_json: Json = False) -> None:
    """What is present, missing or misconfigured, and the command that mends it. Ends with 1 when something needed is missing."""
    from starter.doctor import examine

    checks = examine(load_settings())
    give(checks, as_json, lambda: _checks_table(checks))
    if any(check.state == "bad" for check in checks):
        raise typer.Exit(exit_codes.FAILED)


def _checks_table(checks: Sequence[Check]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    marks = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "bad": ("✗", "red")}
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        sign, style = marks[check.state]
        remedy = f"\n→ {check.remedy}" if check.remedy else ""
        table.add_row(Text(sign, style), Text(check.name), Text(check.found + remedy))
    return table


def config(as_json: Json = False) -> None:
    """The settings in effect and where each comes from. Secrets are masked."""
    from starter.effective import effective

    found = effective(load_settings())

    def table() -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        lines = Table("SETTING", "VALUE", "FROM", box=None, pad_edge=False)
        for each in found:
            lines.add_row(*map(Text, (each.name, each.value, each.origin)))
        return lines

    give(found, as_json, table)


def register(app: typer.Typer) -> None:
    for command in (up, down, status, doctor, config):
        app.command()(command)
