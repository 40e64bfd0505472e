"""RolloutWorkflow: moves traffic from the stable to the candidate release, or back, and always ends in one of the two.

The decisions are in pipelines/rollouts; this file makes the moves one by one, listens to people, watches the candidate, and
turns back on abort, failed analysis, crash, deadline, cancellation or any error. The way back cannot be interrupted.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

with workflow.unsafe.imports_passed_through():
    from pipelines.analysis.tally import Tally
    from pipelines.messages.deploy import RolloutResult, RolloutStatus
    from pipelines.messages.rollout import RolloutInput
    from pipelines.messages.runs import Abort, Answer, Approve, Promote, Resume, RolloutView
    from pipelines.messages.runs import Pause as PauseAsked
    from pipelines.ports import WATCH_RELEASE
    from pipelines.rollouts import base
    from pipelines.rollouts.base import Analyse, Check, Ensure, Linger, Pause, Planned, Preview, Retire, Weight
    from pipelines.rollouts.health import broken
    from workflows.calls import call, why
    from workflows.rollout_people import RolloutPeople

RETRY_BACK = 1.0
"""Seconds between tries of a move that must be made."""
TRIES_BACK = 3
"""After so many tries people are told; stable's missing replicas no longer hold up the candidate's removal, and what is left of
the old release no longer holds up the environment."""


@workflow.defn(name="RolloutWorkflow")
class RolloutWorkflow(RolloutPeople):
    """Updates: approve, pause, resume, promote, abort. Signal: abort_request. Query: view."""

    @workflow.init
    def __init__(self, given: RolloutInput) -> None:
        super().__init__(given)
        self._background: list[asyncio.Task[None]] = []
        self._leaving: list[asyncio.Task[None]] = []
        self._tries = 0

    @workflow.run
    async def run(self, given: RolloutInput) -> RolloutResult:
        driver = asyncio.create_task(self._drive())
        while not driver.done():
            try:
                await asyncio.shield(driver)
            except asyncio.CancelledError:
                reason = f"the rollout was cancelled {workflow.cancellation_reason() or ''}".strip()
                self.turn_back(reason, "cancellation", ending="aborted")
        if driver.result():
            workflow.continue_as_new(self.carried())
        return self.result()

    async def _drive(self) -> bool:
        """True when the rollout must go on in a new execution, False when it is over."""
        if self.resumed:
            self._go_on_in_background()
        else:
            self.announce_start()
        while moves := self.moves():
            if self._should_start_anew():
                await self._stop_background()
                await self._finish_quietly()
                return True
            await self._one(moves[0])
        await self._stop_background()
        self.announce_end(self._status())
        await self._finish_quietly()
        return False

    async def _one(self, planned: Planned) -> None:
        """Wait while people paused it, then try the first move."""
        if self.paused_by and self.state.intent != "rollback":
            await self._while_paused()
            return
        self.begin(planned)
        if self.state.intent == "rollback":
            await self._make_way_back(planned)
        else:
            await self._try(planned)

    async def _while_paused(self) -> None:
        self.show()
        await workflow.wait_condition(lambda: not self.paused_by or self.state.intent != "advance" or self._should_start_anew())

    async def _try(self, planned: Planned) -> None:
        """Forward moves can be interrupted at any moment, by a change of intent or by the deadline."""
        intent, started = self.state.intent, workflow.time()
        task = asyncio.create_task(self._make_forward(planned))
        counted = not self.manual(planned.move) and not base.point_of_no_return(self.state, planned)
        left = self.spec.deadline - self.spent if counted else None
        try:
            await workflow.wait_condition(
                lambda: task.done() or self.state.intent != intent, timeout=left, timeout_summary="the rollout's deadline"
            )
        except TimeoutError:
            self.turn_back(
                f"the deadline of {self.spec.deadline:g} s passed while it tried to {planned.move.words()}", "deadline"
            )
        self.spent += workflow.time() - started if counted else 0.0
        if not task.done():
            task.cancel()
            self._leaving.append(task)
            return
        await self._settle(planned, task)

    async def _settle(self, planned: Planned, task: asyncio.Task[None]) -> None:
        """Read what a finished move says. A failed one turns the rollout back, as long as there is a way."""
        error = None if task.cancelled() else task.exception()
        if error is None and not task.cancelled():
            if not self.again:
                self.state = base.succeeded(self.state, planned)
            self.again = False
        elif isinstance(error, FailureError) and base.point_of_no_return(self.state, planned):
            await self._leave_behind(planned, why(error))
        elif isinstance(error, FailureError):
            self.turn_back(f"could not {planned.move.words()}: {why(error)}", "failure")
        elif error is not None:
            raise error

    async def _leave_behind(self, planned: Planned, reason: str) -> None:
        """What cannot be removed at the very end is tried a few times; the environment must be free for what comes next."""
        self._tries += 1
        if self._tries < TRIES_BACK:
            await workflow.sleep(RETRY_BACK * self._tries, summary=f"before trying again to {planned.move.words()}")
            return
        self.announce_trouble(planned, reason, "something is left of the old release")
        self.state = base.succeeded(self.state, planned)

    async def _make_forward(self, planned: Planned) -> None:
        """What `promote --full` has interrupted must not work against what follows; traffic has revisions for that."""
        if not isinstance(planned.move, Weight):
            await self._gone()
        await self._make(planned)

    async def _make(self, planned: Planned) -> None:
        match planned.move:
            case Ensure() as move:
                await self.hands.ensure(move)
                if move.track == "candidate":
                    self._watch()
            case Weight() as move:
                await self.hands.weigh(move, self.state)
                self.judge.since = workflow.time()
                self._analyse_in_background()
            case Preview() as move:
                await self.hands.preview(move, self.state)
            case Check() as move:
                await self.hands.check(move)
            case Pause() as move:
                await self.wait_for_people(move, self._should_start_anew)
            case Analyse() as move:
                self._conclude(planned, await self.judge.step(move.count))
            case Linger() as move:
                await self.linger(move)
            case Retire() as move:
                await self._stop_background()
                await self.hands.retire(move)
            case base.Promote():
                self.announce_promotion()

    async def _make_way_back(self, planned: Planned) -> None:
        """Traffic first, at once; whatever was interrupted has stopped before anything is removed."""
        self._cancel_background()
        if not isinstance(planned.move, Weight):
            await self._gone()
        try:
            await self._make(planned)
        except FailureError as error:
            await self._retry_back(planned, why(error))
            return
        self._tries = 0
        self.state = base.succeeded(self.state, planned)

    async def _retry_back(self, planned: Planned, reason: str) -> None:
        """The way back is tried until it works, and people are told that it is hard."""
        self._tries += 1
        if self._tries == TRIES_BACK:
            self.announce_trouble(planned, reason, "going back is not working yet")
        if self._tries >= TRIES_BACK and isinstance(planned.move, Ensure) and self.state.world.stable > 0:
            self._tries = 0
            self.state = base.succeeded(self.state, planned)
            return
        await workflow.sleep(RETRY_BACK * min(self._tries, 30), summary=f"before trying again to {planned.move.words()}")
        if isinstance(planned.move, Retire):
            await self._route_again()

    async def _route_again(self) -> None:
        """A release that has traffic is not removed, and somebody may have given it some by hand."""
        try:
            await self.hands.weigh(Weight(candidate=0), self.state)
        except FailureError as error:
            workflow.logger.warning("traffic could not be set again: %s", why(error))

    def _conclude(self, planned: Planned, tally: Tally) -> None:
        """An analysis step's end: fail turns back, everything short of a pass waits for people."""
        if tally.decision == "fail":
            self.turn_back(f"analysis failed: {tally.reason}", "analysis")
        elif tally.decision != "pass":
            self.inconclusive(planned, f"analysis is {tally.decision}: {tally.reason}")

    def _go_on_in_background(self) -> None:
        """In a new execution: what ran beside the moves of the one before."""
        if self.state.intent != "rollback" and self.state.world.candidate:
            self._watch()
        if self.state.world.weight:
            self._analyse_in_background()

    def _watch(self) -> None:
        """From the candidate's first replica on, its crash turns the rollout back."""
        if not any(task.get_name() == "watch" for task in self._background):
            self._background.append(asyncio.create_task(self._until_broken(), name="watch"))

    async def _until_broken(self) -> None:
        """A candidate that nobody can watch is no better than a broken one."""
        try:
            status = await call(WATCH_RELEASE, self.hands.candidate, f"watch {self.hands.candidate.id}")
        except ActivityError as error:
            self.turn_back(f"the candidate could not be watched: {why(error)}", "health")
            return
        reason = broken([status] * 3) or ("it broke" if status.replicas else "it does not run any more")
        self.turn_back(f"the candidate broke: {reason}", "health")

    def _analyse_in_background(self) -> None:
        running = any(task.get_name() == "analysis" for task in self._background)
        if not running and self.spec.analysis and self.spec.analysis.background and self.hands.stable:
            task = self.judge.background(self.tally, self._analysis_due, self._on_tally)
            self._background.append(asyncio.create_task(task, name="analysis"))

    def _analysis_due(self) -> bool:
        return self.state.intent == "advance" and self.state.world.weight > 0 and not self.state.hold

    def _on_tally(self, tally: Tally) -> None:
        """A failed analysis turns back at once; one that cannot tell waits for people, unless they are asked already."""
        self.tally = tally if tally.decision == "continue" else Tally()
        if tally.decision == "fail":
            self.turn_back(f"background analysis failed: {tally.reason}", "analysis")
        elif tally.decision in ("inconclusive", "error") and not self.asking:
            self.inconclusive(None, f"background analysis is {tally.decision}: {tally.reason}")
        self.show()

    def _cancel_background(self) -> None:
        for task in self._background:
            task.cancel()
        self._leaving.extend(self._background)
        self._background = []

    async def _stop_background(self) -> None:
        self._cancel_background()
        await self._gone()

    async def _gone(self) -> None:
        """Cancelled work says when it has stopped; what it says does not matter any more."""
        await workflow.wait_condition(lambda: all(task.done() for task in self._leaving))
        stopped, self._leaving = self._leaving, []
        await asyncio.gather(*stopped, return_exceptions=True)

    async def _finish_quietly(self) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self.teller.drain()

    def _should_start_anew(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() and self.state.intent != "rollback"

    def _status(self) -> RolloutStatus:
        return self.ending if self.state.intent == "rollback" else "promoted"

    @workflow.update
    async def approve(self, asked: Approve) -> Answer:
        return self.on_approve(asked)

    @approve.validator
    def _may_approve(self, asked: Approve) -> None:
        self.may_approve(asked)

    @workflow.update
    async def pause(self, asked: PauseAsked) -> Answer:
        return self.on_pause(asked)

    @pause.validator
    def _may_pause(self, asked: PauseAsked) -> None:
        self.may_pause(asked)

    @workflow.update
    async def resume(self, asked: Resume) -> Answer:
        return self.on_resume(asked)

    @resume.validator
    def _may_resume(self, asked: Resume) -> None:
        self.may_resume(asked)

    @workflow.update
    async def promote(self, asked: Promote) -> Answer:
        return self.on_promote(asked)

    @promote.validator
    def _may_promote(self, asked: Promote) -> None:
        self.may_promote(asked)

    @workflow.update
    async def abort(self, asked: Abort) -> Answer:
        return self.on_abort(asked)

    @abort.validator
    def _may_abort(self, asked: Abort) -> None:
        self.may_abort()

    @workflow.signal
    async def abort_request(self, asked: Abort) -> None:
        """The abort of another workflow (the run, or the environment that has something newer), which can't send updates."""
        if not base.point_of_no_return(self.state, self.current):
            self.on_abort(asked)

    @workflow.query
    def view(self) -> RolloutView:
        return self.seen()
