"""logs: what the steps of a run wrote, as it is, or followed while it is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.errors import NotFound
from pipelines.messages.common import Status
from starter.commands.base import Json, Ref, ask, load_settings

if TYPE_CHECKING:
    from temporalio.client import Client

    from pipelines.messages.runs import RunView
    from pipelines.settings import Settings

INTERVAL = 0.3
_NEVER_RAN = (Status.pending, Status.skipped, Status.waiting)


def logs(
    ref: Ref,
    stage: Annotated[str, typer.Option("--stage", "-s", help="Only this stage.")] = "",
    step: Annotated[int | None, typer.Option(min=0, help="Only the step with this index.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended or is held.")] = False,
    times: Annotated[bool, typer.Option("--times", "-t", help="With the time of each line.")] = False,
    as_json: Json = False,
) -> None:
    """What a run's steps wrote. Secrets were masked before anything was written."""
    settings = load_settings()
    reader = _Reader(settings, times, as_json)
    ask(lambda client: reader.read(client, ref, stage, step, follow), settings)


class _Reader:
    """Prints each log from where it was left off; one that is written in pieces keeps its stage in front of each line."""

    def __init__(self, settings: Settings, times: bool, as_json: bool) -> None:
        self._settings, self._times, self._as_json = settings, times, as_json
        self._offsets: dict[Path, int] = {}

    async def read(self, client: Client, ref: str, stage: str, step: int | None, follow: bool) -> None:
        """Raises NotFound when there is nothing to follow and nothing was found."""
        from starter import runs
        from starter.records import LateRecords

        run_id = await runs.resolve(client, ref)
        while True:
            view = await runs.describe(client, run_id, LateRecords(self._settings))
            self._check(view, stage)
            for label, path in self._logs(view, stage, step):
                self._print_new(label, path)
            if not follow or view.status.final or view.status == Status.held:
                break
            await asyncio.sleep(INTERVAL)
        if not self._offsets and not follow:
            where = self._settings.layout.logs
            raise NotFound(f"no log of {run_id} in {where}", "Logs are on the worker's host; the dashboard shows them too")

    def _check(self, view: RunView, stage: str) -> None:
        names = [each.name for each in view.stages]
        if stage and names and stage not in names:
            raise NotFound(f"the run has no stage '{stage}'", f"Stages: {', '.join(names)}")

    def _logs(self, view: RunView, stage: str, step: int | None) -> Iterator[tuple[str, Path]]:
        layout = self._settings.layout
        for each in view.stages:
            for line in each.steps:
                if stage in ("", each.name) and step in (None, line.index) and line.status not in _NEVER_RAN:
                    yield (
                        f"{each.name}/{line.index}",
                        layout.logs / (line.log or layout.step_log(view.run_id, each.name, line.index)),
                    )

    def _print_new(self, label: str, path: Path) -> None:
        from pipelines.logfile import read_new

        if not path.exists():
            return
        while True:
            lines, self._offsets[path] = read_new(path, self._offsets.get(path, 0))
            if not lines:
                return
            for line in lines:
                self._print(label, line.time, line.text)

    def _print(self, label: str, at: str, text: str) -> None:
        if self._as_json:
            print(json.dumps({"step": label, "time": at, "text": text}), flush=True)
        else:
            print(f"{label} | {at + ' ' if self._times else ''}{text}", flush=True)


def register(app: typer.Typer) -> None:
    app.command()(logs)
