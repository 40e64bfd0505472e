"""What a rollout knows, shows and hears: its state, its view, its announcements, and what people ask of it."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

from pipelines.approvals import missing, objection
from pipelines.messages.deploy import RolloutStatus
from pipelines.messages.rollout import RolloutInput
from pipelines.messages.runs import Abort, Answer, Approve, Promote, Resume
from pipelines.messages.runs import Pause as PauseAsked
from pipelines.rollouts import base
from pipelines.rollouts.base import Linger, Move, Pause, Planned
from workflows.calls import refuse
from workflows.rollout_news import RolloutNews


class RolloutPeople(RolloutNews):
    """Base of RolloutWorkflow: everything that is not making moves."""

    def __init__(self, given: RolloutInput) -> None:
        super().__init__(given)
        self.again = False
        self._skip = False

    @property
    def asking(self) -> bool:
        """People are being asked for an approval right now."""
        move = self.current.move if self.current else None
        return isinstance(move, Pause) and move.seconds is None

    def manual(self, move: Move) -> bool:
        """Pauses do not count against the deadline, nor does keeping the old release."""
        return isinstance(move, Linger | Pause)

    def begin(self, planned: Planned) -> None:
        if self.current is None or self.current != planned:
            self.entered = workflow.time()
            self.approvals = [] if self.current is not None else self.approvals
        self.current = planned
        self.state = base.begun(self.state, planned)
        self._skip = False
        self.show()

    def turn_back(self, reason: str, cause: str, actor: str = "switchyard", ending: RolloutStatus = "rolled-back") -> None:
        """From here on only the way back is planned; a second reason changes nothing."""
        if self.state.intent == "rollback" or base.point_of_no_return(self.state, self.current):
            return
        self.ending = ending
        self.state = base.turned_back(self.state, reason)
        self.teller.audit("rollout.turned-back", actor, reason, cause=cause, weight=str(self.state.world.weight))
        self.show()

    def inconclusive(self, planned: Planned | None, reason: str) -> None:
        """Neither pass nor fail: the rollout waits for people, who are told."""
        self.state = base.held(self.state, planned, reason)
        self.again = planned is not None
        self.teller.audit("analysis.inconclusive", "switchyard", reason)
        self.announce_waiting(reason)

    async def wait_for_people(self, move: Pause, enough: Callable[[], bool]) -> None:
        """A pause ends by its time, by approvals, or by being skipped; `enough` interrupts it to go on in a new execution."""
        if move.seconds is not None:
            left = max(0.0, move.seconds - (workflow.time() - self.entered))
            await self._until(lambda: self._skip or enough(), left, f"pause of {move.seconds:g} s")
            self.again = enough() and not self._skip and workflow.time() - self.entered < move.seconds
            return
        self.announce_waiting(move.why or "a manual pause of its plan")
        left = max(0.0, self.spec.approval.timeout - (workflow.time() - self.entered))
        done = await self._until(lambda: self._skip or self._approved() or enough(), left, "approval")
        if not done:
            self._nobody_came()
        self.again = done and not (self._skip or self._approved())

    def _approved(self) -> bool:
        return missing(self.spec.approval, self.approvals) == 0

    def _nobody_came(self) -> None:
        """The approval's time is over: the spec says whether that is a yes; the default is no."""
        waited = f"nobody approved within {self.spec.approval.timeout:g} s"
        if self.spec.approval_timeout_action == "abort":
            self.turn_back(waited, "approval", ending="aborted")
        else:
            self.teller.audit("rollout.approved", "switchyard", f"{waited}, and the pipeline says to promote then")

    async def linger(self, move: Linger) -> None:
        left = max(0.0, move.seconds - (workflow.time() - self.entered))
        await self._until(lambda: self._skip, left, f"keep the old release for {move.seconds:g} s")

    async def _until(self, condition: Callable[[], bool], seconds: float, what: str) -> bool:
        """False when the time ran out first."""
        try:
            await workflow.wait_condition(condition, timeout=seconds, timeout_summary=what)
        except TimeoutError:
            return False
        return True

    def may_approve(self, asked: Approve) -> None:
        if not self.asking:
            raise refuse(f"nothing to approve: the rollout is at '{self.doing()}'")
        problem = objection(self.spec.approval, self.request.author, self.approvals, asked.actor)
        if problem:
            raise refuse(problem, "Denied")

    def on_approve(self, asked: Approve) -> Answer:
        if not asked.approved:
            return self._rejected(asked)
        self.approvals.append(asked.actor)
        left = missing(self.spec.approval, self.approvals)
        self.teller.audit("rollout.approved", asked.actor, asked.reason, weight=str(self.state.world.weight), missing=str(left))
        self.show()
        return Answer(message=f"approved; {left} more needed" if left else f"approved; next: {self.next_words()}")

    def _rejected(self, asked: Approve) -> Answer:
        self.turn_back(f"rejected by {asked.actor}: {asked.reason or 'no reason given'}", "approval", asked.actor, "aborted")
        return Answer(message="rejected; traffic goes back to the stable release")

    def may_pause(self, asked: PauseAsked) -> None:
        self._must_advance()
        if self.paused_by:
            raise refuse(f"already paused by {self.paused_by}")

    def on_pause(self, asked: PauseAsked) -> Answer:
        self.paused_by = asked.actor or "somebody"
        self.teller.audit("rollout.paused", asked.actor, asked.reason, weight=str(self.state.world.weight))
        self.show()
        return Answer(message=f"pauses after '{self.doing()}', at {self.state.world.weight} % on the candidate")

    def may_resume(self, asked: Resume) -> None:
        if not self.paused_by or self.over:
            raise refuse("it is not paused; a step that waits for approval takes 'approve'")

    def on_resume(self, asked: Resume) -> Answer:
        self.teller.audit("rollout.resumed", asked.actor, asked.reason)
        self.paused_by = ""
        self.show()
        return Answer(message=f"resumed; next: {self.next_words()}")

    def may_promote(self, asked: Promote) -> None:
        self._must_advance()
        if not asked.full and not isinstance(self.current.move if self.current else None, Pause | Linger):
            raise refuse(f"no pause to skip: the rollout is at '{self.doing()}'; use --full to skip all that is left")
        if self.asking or (asked.full and self._asks_later()):
            self._must_speak_for_all(asked.actor)

    def _asks_later(self) -> bool:
        return any(isinstance(planned.move, Pause) and planned.move.seconds is None for planned in self.moves())

    def _must_speak_for_all(self, actor: str) -> None:
        """Skipping an approval is no way around it: whoever does it may approve, and no further person is needed."""
        problem = objection(self.spec.approval, self.request.author, [], actor)
        left = missing(self.spec.approval, sorted({*self.approvals, actor}) if self.asking else [actor])
        if not problem and left:
            problem = f"'{actor}' alone may not skip an approval: {left} more needed; give them with 'approve'"
        if problem:
            raise refuse(problem, "Denied")

    def on_promote(self, asked: Promote) -> Answer:
        self.teller.audit("rollout.promote", asked.actor, asked.reason, full=str(asked.full), weight=str(self.state.world.weight))
        self.paused_by = ""
        if not asked.full:
            self._skip = True
            return Answer(message=f"pause skipped; next: {self.next_words()}")
        self.state = base.promoted_fully(self.state)
        self.show()
        return Answer(message="promoting fully: all traffic goes to the candidate now")

    def may_abort(self) -> None:
        if self.state.intent == "rollback":
            raise refuse(f"already going back: {self.state.reason}")
        if base.point_of_no_return(self.state, self.current):
            raise refuse("too late to abort: the old release is gone. Use 'switchyard rollback' to return to it")

    def on_abort(self, asked: Abort) -> Answer:
        ending: RolloutStatus = "superseded" if asked.actor == "environment" else "aborted"
        self.turn_back(asked.reason or f"aborted by {asked.actor}", "abort", asked.actor, ending)
        return Answer(message="aborting: traffic goes back to the stable release, then the candidate is removed")

    def _must_advance(self) -> None:
        if self.over:
            raise refuse(f"the rollout is over: {self.over}")
        if self.state.intent == "rollback":
            raise refuse(f"the rollout is going back: {self.state.reason}")
        if self.state.intent == "promote":
            raise refuse("the rollout is being promoted fully already")
