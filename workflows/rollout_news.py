"""What a rollout tells: its view, search attributes, records, events and notifications."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from pipelines import attributes
from pipelines.analysis.tally import Tally
from pipelines.details import rollout_details
from pipelines.environment import deployment_record
from pipelines.events import deployment_completed, deployment_started
from pipelines.messages.deploy import RolloutResult, RolloutStatus
from pipelines.messages.notify import Level, Notification
from pipelines.messages.rollout import Carry, RolloutInput
from pipelines.messages.runs import RolloutView
from pipelines.ports import RECORD_DEPLOYMENT
from pipelines.rollouts import plan
from pipelines.rollouts.base import Pause, Planned, State, World
from workflows.rollout_judge import Judge
from workflows.rollout_moves import Hands
from workflows.tell import Teller

_STATUS = SearchAttributeKey.for_keyword(attributes.STATUS)


def _found(given: RolloutInput) -> World:
    """The world before the first move."""
    stable = given.stable
    count = stable.replicas if stable else 0
    replicas = given.request.release.replicas
    return World(replicas=replicas, has_stable=stable is not None, stable_replicas=count, stable=count)


class RolloutNews:
    """The state of one rollout and everything that is said about it."""

    def __init__(self, given: RolloutInput) -> None:
        carry = given.carry or Carry(state=State(start=_found(given), world=_found(given)), started_at=workflow.time())
        self.given = given
        self.request = given.request
        self.spec = given.request.spec
        self.resumed = given.carry is not None
        self.hands = Hands(given)
        self.judge = Judge(self.spec.analysis, self.request.release, given.stable, carry.verdicts)
        self.judge.since = carry.since
        self.state = carry.state
        self.started_at = carry.started_at
        self.entered = carry.entered or workflow.time()
        self.current: Planned | None = carry.current
        self.paused_by = carry.paused_by
        self.approvals = list(carry.approvals)
        self.spent = carry.spent
        self.tally: Tally = carry.background
        self.ending: RolloutStatus = carry.ending
        self.teller = Teller(self.request.release.place.key)
        self.over: RolloutStatus | None = None
        self._word = ""
        self._shown = ""

    def moves(self) -> list[Planned]:
        return plan(self.spec, self.state, self.given.fast)

    def doing(self) -> str:
        return self.current.move.words() if self.current else "its start"

    def next_words(self) -> str:
        moves = self.moves()
        following = moves[1:] if moves and moves[0] == self.current else moves
        return following[0].move.words() if following else "the end"

    def seen(self) -> RolloutView:
        """The whole rollout as people see it."""
        move = self.current.move if self.current and not self.over else None
        return RolloutView(
            workflow_id=workflow.info().workflow_id,
            request_id=self.request.request_id,
            run_id=self.request.release.run_id,
            strategy=self.spec.strategy,
            kind=self.request.kind,
            candidate=self.request.release,
            stable_id=self.given.stable.id if self.given.stable else "",
            status=self._status_word(),
            intent=self.state.intent,
            result=self.over,
            reason=self.state.reason,
            waiting_for=self._waiting_for(),
            weight=self.state.world.weight,
            move=move.words() if move else "",
            plan=[planned.move.words() for planned in self.moves()],
            weights=self.hands.weights,
            verdicts=self.judge.verdicts,
            approvals=self.approvals,
            address=self.hands.address,
            preview_address=self.hands.preview_address,
        )

    def _status_word(self) -> str:
        if self.over:
            return "done"
        if self.state.intent == "rollback":
            return "rolling-back"
        return "paused" if self._waiting_for() else "progressing"

    def _waiting_for(self) -> str:
        if self.over or self.state.intent == "rollback":
            return ""
        if self.paused_by:
            return f"'resume' (paused by {self.paused_by})"
        move = self.current.move if self.current else None
        if isinstance(move, Pause) and move.seconds is None:
            return f"approval ({move.why})" if move.why else "approval"
        return ""

    def show(self) -> None:
        """Temporal's UI and search follow the state; nothing is sent when nothing changed."""
        view = self.seen()
        workflow.set_current_details(rollout_details(view))
        word = view.result or view.status
        if word != self._word:
            self._word = word
            workflow.upsert_search_attributes([_STATUS.value_set(word)])

    def carried(self) -> RolloutInput:
        """What the next execution needs to go on as if nothing had been."""
        carry = Carry(
            state=self.state,
            started_at=self.started_at,
            revision=self.hands.revision,
            spent=self.spent,
            entered=self.entered,
            current=self.current,
            paused_by=self.paused_by,
            approvals=self.approvals,
            weights=self.hands.weights,
            verdicts=self.judge.verdicts,
            background=self.tally,
            since=self.judge.since,
            ending=self.ending,
            address=self.hands.address,
            preview_address=self.hands.preview_address,
        )
        return self.given.model_copy(update={"carry": carry})

    def result(self) -> RolloutResult:
        stable = self.given.stable.id if self.given.stable else ""
        promoted = self.over == "promoted"
        return RolloutResult(
            request_id=self.request.request_id,
            status=self.over or "failed",
            reason=self.state.reason,
            release_id=self.request.release.id,
            stable_id=self.request.release.id if promoted else stable,
            workflow_id=workflow.info().workflow_id,
        )

    def announce_start(self) -> None:
        release = self.request.release
        self.show()
        self.teller.audit(
            "rollout.started", self.request.actor, self.request.reason, release=release.id, strategy=self.spec.strategy,
            stable=self.given.stable.id if self.given.stable else "", digest=release.artifact.digest,
        )  # fmt: skip
        self._record("started")
        self.teller.publish(deployment_started(release, self.spec.strategy, workflow.info().workflow_id, self.started_at))

    def announce_promotion(self) -> None:
        self.teller.audit("rollout.promoted", self.request.actor, self.state.reason, release=self.request.release.id)
        self._record("promoted")

    def announce_end(self, status: RolloutStatus) -> None:
        """Says it once, everywhere."""
        self.over = status
        self.show()
        release, reason = self.request.release, self.state.reason
        self.teller.audit("rollout.ended", "switchyard", reason, status=status, release=release.id)
        self._record(status, workflow.time())
        completed = deployment_completed(
            release, self.spec.strategy, workflow.info().workflow_id, status, reason, self.started_at, workflow.time()
        )
        self.teller.publish(completed)
        level: Level = "success" if status == "promoted" else "error"
        self._notify("ended", level, f"{release.place.key}: {release.id} {status}", reason)

    def announce_trouble(self, planned: Planned, reason: str, trouble: str) -> None:
        """A move that must be made is hard: somebody should look."""
        title = f"{self.request.release.place.key}: {trouble}"
        self.teller.audit("rollout.hard", "switchyard", f"{trouble}: could not {planned.move.words()}: {reason}")
        self._notify("trouble", "error", title, f"could not {planned.move.words()}: {reason}")

    def announce_waiting(self, reason: str) -> None:
        place, waiting = self.request.release.place.key, workflow.info().workflow_id
        text = f"{reason}. Decide with: switchyard approve {waiting}  or  switchyard abort {waiting}"
        key = f"waiting-{self.current.index if self.current else 0}-{len(self.judge.verdicts)}"
        self._notify(key, "warning", f"{place}: the rollout waits for people", text)

    def _notify(self, key: str, level: Level, title: str, text: str) -> None:
        note = Notification(key=f"{workflow.info().workflow_id}/{key}", level=level, title=title, text=text)
        self.teller.notify(note)

    def _record(self, status: str, finished: float | None = None) -> None:
        key = workflow.info().workflow_id
        record = deployment_record(self.request, key, self.given.stable, status, self.state.reason, self.started_at, finished)
        self.teller.record(RECORD_DEPLOYMENT, record, f"record deployment {status}")
