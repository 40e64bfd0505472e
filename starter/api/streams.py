"""What goes on, as server-sent events: the log of a step, and the changes of a run or a rollout.

All streams end with an event `end`; one that ends without it was cut off, and `EventSource` comes back by itself. Logs then go on
behind the line that came last (Last-Event-ID is the byte offset in the log).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from pipelines.errors import InfrastructureError, NotFound
from pipelines.logfile import LogLine, read_new
from pipelines.messages.common import Status
from pipelines.messages.runs import RolloutView, RunView, StepView
from starter.api.refs import ROLLOUT, RUN
from starter.api.site import Site, TheSite

INTERVAL = 0.25
LOOK_INTERVAL = 0.5
BATCH = 500
"""Lines in one event at most."""
router = APIRouter()


@dataclass(frozen=True)
class StepLog:
    run_id: str
    stage: str
    step: int
    path: Path


async def step_log(site: TheSite, ref: str, stage: str, step: int) -> StepLog:
    """Raises NotFound for a stage or step that the run does not have."""
    run_id = await site.run_id(ref)
    view = await site.runs.of(run_id)
    names = [each.name for each in view.stages]
    steps = _steps(view, stage)
    if names and stage not in names:
        raise NotFound(f"the run has no stage '{stage}'", f"Stages: {', '.join(names)}")
    if steps and step not in steps:
        raise NotFound(f"stage {stage} has no step {step}", f"Steps: {', '.join(map(str, steps))}")
    layout = site.settings.layout
    name = steps[step].log if step in steps and steps[step].log else layout.step_log(run_id, stage, step)
    return StepLog(run_id, stage, step, layout.logs / name)


async def run_of(site: TheSite, ref: str) -> str:
    """Also asks for the view once, so that what cannot be seen is an error and not an empty stream."""
    run_id = await site.run_id(ref)
    await site.runs.of(run_id)
    return run_id


async def rollout_of(site: TheSite, ref: str) -> str:
    await site.rollouts.of(ref)
    return ref


@router.get(f"{RUN}/logs/{{stage}}/{{step}}", response_class=EventSourceResponse)
async def log(
    site: TheSite,
    of: Annotated[StepLog, Depends(step_log)],
    last_event_id: Annotated[str, Header()] = "",
    offset: int = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Events `lines` (JSON list of {time, text, continues}), `reset` when the step begins anew, and `end` ({status})."""
    offset = int(last_event_id) if last_event_id.isdecimal() else max(0, offset)
    ended = ""
    while not site.stopping.is_set():
        lines, new = await asyncio.to_thread(read_new, of.path, offset)
        if new < offset:
            yield ServerSentEvent(event="reset", raw_data="{}")
        offset = new
        for event in _batches(lines):
            yield event
        if lines:
            continue
        if ended:
            yield ServerSentEvent(event="end", raw_data=json.dumps({"status": ended}))
            return
        ended = await _ending(site, of)
        await asyncio.sleep(0 if ended else INTERVAL)


def _batches(lines: list[LogLine]) -> list[ServerSentEvent]:
    parts = [lines[start : start + BATCH] for start in range(0, len(lines), BATCH)]
    return [
        ServerSentEvent(
            event="lines",
            id=str(part[-1].offset),
            raw_data=json.dumps([{"time": line.time, "text": line.text, "continues": line.continues} for line in part]),
        )
        for part in parts
    ]


def _steps(view: RunView, stage: str) -> dict[int, StepView]:
    return {step.index: step for each in view.stages if each.name == stage for step in each.steps}


async def _ending(site: Site, of: StepLog) -> str:
    """The status with which the step has ended, or its run did without it; '' while more may be written."""
    try:
        view = await site.runs.of(of.run_id)
    except InfrastructureError:
        return ""
    step = _steps(view, of.stage).get(of.step)
    if step and step.status.final:
        return str(step.status)
    return str(view.status) if view.status.final or (view.status == Status.held and step is None) else ""


@router.get(f"{RUN}/events", response_class=EventSourceResponse)
async def run_events(site: TheSite, run_id: Annotated[str, Depends(run_of)]) -> AsyncIterator[ServerSentEvent]:
    """Events `run` (RunView) and `rollout` (RolloutView) whenever one changes, the present state first; `end` with the run."""
    told: dict[str, str] = {}
    while not site.stopping.is_set():
        views = await _present(site, run_id)
        for name, view in views.items():
            text = view.model_dump_json()
            if told.get(name) != text:
                told[name] = text
                yield ServerSentEvent(event="run" if isinstance(view, RunView) else "rollout", raw_data=text)
        run = views.get(run_id)
        if isinstance(run, RunView) and run.status.final:
            yield ServerSentEvent(event="end", raw_data=json.dumps({"status": str(run.status)}))
            return
        await asyncio.sleep(LOOK_INTERVAL)


async def _present(site: Site, run_id: str) -> dict[str, RunView | RolloutView]:
    """The run and its rollouts; what cannot be asked at the moment is missing."""
    try:
        run = await site.runs.of(run_id)
    except InfrastructureError:
        return {}
    seen: dict[str, RunView | RolloutView] = {run_id: run}
    for rollout_id in [stage.rollout_id for stage in run.stages if stage.rollout_id]:
        try:
            seen[rollout_id] = await site.rollouts.of(rollout_id)
        except (InfrastructureError, NotFound):
            continue
    return seen


@router.get(f"{ROLLOUT}/events", response_class=EventSourceResponse)
async def rollout_events(site: TheSite, rollout_id: Annotated[str, Depends(rollout_of)]) -> AsyncIterator[ServerSentEvent]:
    """Event `rollout` (a RolloutView) whenever it changes, and `end`."""
    told = ""
    while not site.stopping.is_set():
        try:
            view = await site.rollouts.of(rollout_id)
        except InfrastructureError:
            await asyncio.sleep(LOOK_INTERVAL)
            continue
        text = view.model_dump_json()
        if text != told:
            told = text
            yield ServerSentEvent(event="rollout", raw_data=text)
        if view.status == "done":
            yield ServerSentEvent(event="end", raw_data=json.dumps({"result": view.result}))
            return
        await asyncio.sleep(LOOK_INTERVAL)
