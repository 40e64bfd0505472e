"""Analysis during a rollout: in steps between weights, and in the background all through it."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError

from pipelines.analysis.tally import Tally
from pipelines.messages.deploy import MeasureInput, Release, Verdict
from pipelines.messages.runs import VerdictPoint
from pipelines.ports import MEASURE
from pipelines.spec.analysis import AnalysisSpec
from workflows.calls import call, why

NEWEST = 200


class Judge:
    """Measures candidate against stable. `since` is when the candidate's share last changed: older requests do not count."""

    def __init__(
        self, spec: AnalysisSpec | None, candidate: Release, stable: Release | None, verdicts: list[VerdictPoint]
    ) -> None:
        self._spec = spec
        self._candidate = candidate
        self._stable = stable
        self.verdicts = list(verdicts)
        self.since = 0.0

    async def measure(self, since: float, judge: bool) -> Verdict:
        """One measurement; a metrics server that does not answer is a verdict of its own: error."""
        assert self._spec is not None
        wanted = MeasureInput(
            place=self._candidate.place,
            candidate=self._candidate.id,
            stable=self._stable.id if self._stable else None,
            analysis=self._spec,
            since=since,
            window=max(self._spec.interval, workflow.time() - since),
            rollout=workflow.info().workflow_id,
            judge=judge,
        )
        verdict = await self._ask(wanted)
        self.verdicts = [*self.verdicts, VerdictPoint(at=workflow.time(), verdict=verdict)][-NEWEST:]
        return verdict

    async def _ask(self, wanted: MeasureInput) -> Verdict:
        try:
            return await call(MEASURE, wanted, f"measure {wanted.candidate} against {wanted.stable or 'nothing'}")
        except ActivityError as error:
            return Verdict(outcome="error", reason=f"metrics could not be had: {why(error)}")

    async def step(self, count: int) -> Tally:
        """An analysis step: measure until the tally decides. The statistical judge speaks when all points are there."""
        spec, tally = self._need(), Tally()
        spec = spec.model_copy(update={"count": count})
        since = workflow.time()
        await self._wait(spec.initial_delay + spec.interval, "before the first measurement")
        while True:
            verdict = await self.measure(since, judge=tally.measured + 1 >= count)
            tally = tally.add(verdict, spec)
            if tally.decision != "continue":
                return tally
            await self._wait(spec.interval, f"measurement {tally.measured + 1}")

    async def background(self, tally: Tally, due: Callable[[], bool], tell: Callable[[Tally], None]) -> None:
        """Measures every interval while `due` says so, for as long as it is not cancelled; `tell` gets each new tally."""
        spec = self._need().model_copy(update={"count": 1_000_000})
        await self._wait(spec.initial_delay, "before the first background measurement")
        while True:
            await self._wait(spec.interval, "until the next background measurement")
            if not due():
                continue
            tally = tally.add(await self.measure(self.since, judge=False), spec)
            tell(tally)
            if tally.decision != "continue":
                tally = Tally()

    def _need(self) -> AnalysisSpec:
        assert self._spec is not None
        return self._spec

    async def _wait(self, seconds: float, what: str) -> None:
        if seconds > 0:
            await workflow.sleep(seconds, summary=what)
