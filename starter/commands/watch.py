"""watch: a live tree of a run's stages, or of one rollout, until it has ended or waits to be mended."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.messages.common import Status
from starter import exit_codes
from starter.commands.base import Json, Ref, ask, console, load_settings

if TYPE_CHECKING:
    from rich.console import RenderableType
    from temporalio.client import Client

    from pipelines.messages.runs import RolloutView, RunView
    from pipelines.settings import Settings

INTERVAL = 0.4
Seen = tuple["RunView", dict[str, "RolloutView"]]
Look = Callable[[], Awaitable[Seen]]


def watch(
    ref: Ref,
    until_held: Annotated[bool, typer.Option("--until-held/--through-hold", help="End when the run is held open.")] = True,
    as_json: Json = False,
) -> None:
    """Follow a run or a rollout. Ends with the run's status: 0 passed, 1 failed, 4 held."""
    follow(load_settings(), ref, as_json, until_held)


def follow(settings: Settings, ref: str, as_json: bool, until_held: bool = True) -> None:
    """Show changes until the end; leaves with the exit status."""
    code = ask(lambda client: _follow(client, settings, ref, as_json, until_held), settings)
    raise typer.Exit(code)


async def _follow(client: Client, settings: Settings, ref: str, as_json: bool, until_held: bool) -> int:
    from starter import runs
    from starter.commands.runs import look

    workflow_id = await runs.resolve(client, ref)
    if runs.is_rollout(workflow_id):
        return await _follow_rollout(client, workflow_id, as_json)
    show = _as_lines if as_json else _as_tree if console().is_terminal else _as_text
    return await show(lambda: look(client, settings, workflow_id), until_held)


def _ended(view: RunView, until_held: bool) -> bool:
    return view.status.final or (until_held and view.status == Status.held)


async def _as_tree(look: Look, until_held: bool) -> int:
    from rich.live import Live

    from starter.commands.render import run_tree

    seen = await look()

    def drawn() -> RenderableType:
        return run_tree(*seen, time.time())

    with Live(get_renderable=drawn, console=console(), refresh_per_second=8, vertical_overflow="visible"):
        while not _ended(seen[0], until_held):
            await asyncio.sleep(INTERVAL)
            seen = await look()
    return exit_codes.of_status(seen[0].status)


async def _as_text(look: Look, until_held: bool) -> int:
    """One line per change: for logs and pipes."""

    def line(change: dict[str, str]) -> str:
        return "  ".join(value for value in change.values() if value)

    return await _changes(look, until_held, lambda change: print(line(change), flush=True))


async def _as_lines(look: Look, until_held: bool) -> int:
    """One JSON object per change."""
    return await _changes(look, until_held, lambda change: print(json.dumps(change), flush=True))


async def _changes(look: Look, until_held: bool, tell: Callable[[dict[str, str]], None]) -> int:
    told: dict[str, dict[str, str]] = {}
    while True:
        view, rollouts = await look()
        for name, change in _facts(view, rollouts).items():
            if told.get(name) != change:
                told[name] = change
                tell(change)
        if _ended(view, until_held):
            return exit_codes.of_status(view.status)
        await asyncio.sleep(INTERVAL)


def _facts(view: RunView, rollouts: dict[str, RolloutView]) -> dict[str, dict[str, str]]:
    """What is worth a line when it changes, by subject."""
    facts: dict[str, dict[str, str]] = {}
    for stage in view.stages:
        why = stage.waiting_for or stage.reason
        facts[f"stage {stage.name}"] = {"subject": "stage", "name": stage.name, "status": stage.status.value, "reason": why}
        rollout = rollouts.get(stage.rollout_id)
        if rollout:
            facts[rollout.workflow_id] = _rollout_facts(rollout)
    facts["run"] = {"subject": "run", "name": view.run_id, "status": view.status.value, "reason": view.reason}
    return facts


def _rollout_facts(view: RolloutView) -> dict[str, str]:
    status = f"{view.result or view.status}, {view.weight} %"
    why = view.waiting_for or view.reason or view.move
    return {"subject": "rollout", "name": view.workflow_id, "status": status, "reason": why}


async def _follow_rollout(client: Client, workflow_id: str, as_json: bool) -> int:
    from starter import runs

    told: dict[str, str] = {}
    while True:
        view = await runs.rollout(client, workflow_id)
        facts = _rollout_facts(view)
        if facts != told:
            told = facts
            print(json.dumps(facts) if as_json else "  ".join(filter(None, facts.values())), flush=True)
        if view.status == "done":
            return exit_codes.OK if view.result in ("promoted", "unchanged") else exit_codes.FAILED
        await asyncio.sleep(INTERVAL)


def register(app: typer.Typer) -> None:
    app.command()(watch)
