"""Following a run: each stage when it has ended, each weight when it is set, each verdict that changes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from temporalio.client import Client

from pipelines.errors import NotFound, Unavailable
from pipelines.messages.common import Status
from pipelines.messages.runs import RolloutView, RunView, StageView, VerdictPoint, WeightPoint
from starter import runs
from starter.commands.render import MARKS, seconds
from starter.demo.told import Teller

INTERVAL = 0.25
_STYLES = {Status.passed: "green", Status.reused: "green", Status.failed: "red", Status.cancelled: "magenta"}


class Follower:
    """One run; `rollout` is the production rollout as last seen."""

    def __init__(self, client: Client, run_id: str, teller: Teller, environment: str) -> None:
        self._client, self._teller, self._environment = client, teller, environment
        self.run_id = run_id
        self.view: RunView | None = None
        self.rollout: RolloutView | None = None
        self._told: set[str] = set()

    async def until(self, reached: Callable[[Follower], bool], patience: float) -> RunView:
        """Look and tell until `reached`, or the run is over. Raises Unavailable after `patience` seconds."""
        deadline = time.monotonic() + patience
        while True:
            with contextlib.suppress(Unavailable, NotFound):
                await self._look()
            if self.view and (self.view.status.final or reached(self)):
                return self.view
            if time.monotonic() > deadline:
                raise Unavailable(f"the run is not where it should be after {patience:g} s: {self._where()}")
            await asyncio.sleep(INTERVAL)

    async def _look(self) -> None:
        view = await runs.describe(self._client, self.run_id)
        for stage in view.stages:
            if stage.rollout_id and stage.environment == self._environment:
                with contextlib.suppress(NotFound, Unavailable):
                    self.rollout = await runs.rollout(self._client, stage.rollout_id)
                    self._tell_rollout(self.rollout)
            self._tell_stage(stage)
        self.view = view

    def _where(self) -> str:
        busy = [f"{each.name} {each.status.value}" for each in self.view.stages if not each.status.final] if self.view else []
        rollout = f"; rollout {self.rollout.move or self.rollout.waiting_for}" if self.rollout else ""
        return (", ".join(busy) or "no worker answers") + rollout

    def _tell_stage(self, stage: StageView) -> None:
        if not stage.status.final or stage.status == Status.skipped:
            return
        took = seconds(stage.finished_at - stage.started_at) if stage.finished_at and stage.started_at else ""
        tests = f"{stage.tests.passed} of {stage.tests.total} tests passed" if stage.tests else ""
        coverage = f"{stage.coverage:.0f} % covered" if stage.coverage is not None else ""
        facts = "  ".join(part for part in (took, tests, coverage, stage.reason) if part)
        self._once(f"stage {stage.name}", f"{MARKS[stage.status][0]} {stage.name:<28}{facts}", _STYLES.get(stage.status, ""))

    def _tell_rollout(self, view: RolloutView) -> None:
        """In the order in which it happened; a verdict is told again only when it or the weight has changed."""
        weight = 0
        events: list[WeightPoint | VerdictPoint] = [*view.weights, *view.verdicts]
        for event in sorted(events, key=lambda each: each.at):
            if isinstance(event, WeightPoint):
                weight = event.weight
                self._once(f"weight {event.at}", f"  → {weight} % of the traffic to {view.candidate.version}", "cyan")
            else:
                verdict = event.verdict
                self._once(f"verdict {verdict.outcome} {weight}", f"  analysis: {verdict.outcome}. {verdict.reason}".rstrip())

    def _once(self, key: str, line: str, style: str = "") -> None:
        if key not in self._told:
            self._told.add(key)
            self._teller.line(line, style)
