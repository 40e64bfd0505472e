"""EnvironmentWorkflow: one service in one environment. One rollout at a time; a newer one queues or supersedes."""

from __future__ import annotations

from typing import Any, Literal

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError, ChildWorkflowError, FailureError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from pipelines import attributes
    from pipelines.details import environment_details
    from pipelines.environment import RETURNABLE, deployment_record, previous, request_for
    from pipelines.errors import SwitchyardError
    from pipelines.messages.deploy import (
        EnsureInput,
        Release,
        RetireInput,
        RollbackRequest,
        RolloutRequest,
        RolloutResult,
        RouteInput,
        Served,
        Ticket,
        Withdrawal,
    )
    from pipelines.messages.group import GroupMember
    from pipelines.messages.rollout import EnvironmentState, RolloutInput
    from pipelines.messages.runs import Abort, EnvironmentView
    from pipelines.ports import ENSURE_RELEASE, LOAD_ENVIRONMENT, MEMBER_ALIVE, RECORD_DEPLOYMENT, RETIRE_RELEASE, ROUTE
    from workflows.calls import call, refuse, why

ANSWERS = 50
LOOK = 1.0
"""Seconds between looks whether a rollout of an earlier life of the environment still runs."""


@workflow.defn(name="EnvironmentWorkflow")
class EnvironmentWorkflow:
    """Updates: request, rollback. Signal: withdraw. Query: view. Started by the first request; lives by continue-as-new."""

    @workflow.init
    def __init__(self, state: EnvironmentState) -> None:
        self._state = state
        self._place = state.place
        self._served = list(state.served)
        self._queue = list(state.queue)
        self._numbers = dict(state.numbers)
        self._results = list(state.results)
        self._number = state.number
        self._withdrawn = list(state.withdrawn)
        self._active: RolloutRequest | None = None
        self._child: workflow.ChildWorkflowHandle[Any, RolloutResult] | None = None
        self._unwanted: Abort | None = None
        self._return: RollbackRequest | None = None
        self._loaded = state.loaded

    @workflow.run
    async def run(self, state: EnvironmentState) -> None:
        if not self._loaded:
            await self._load()
        while True:
            self._show()
            await workflow.wait_condition(lambda: bool(self._queue) or workflow.info().is_continue_as_new_suggested())
            if self._queue:
                await self._serve(self._queue.pop(0))
                continue
            await workflow.wait_condition(workflow.all_handlers_finished)
            if not self._queue:
                workflow.continue_as_new(self._remembered())

    async def _load(self) -> None:
        """An environment that was ended by hand and starts anew takes its memory from the records."""
        unfinished = await self._read()
        if unfinished and await self._outlast(unfinished):
            unfinished = await self._read()
        if unfinished:
            await self._mend(unfinished)
        self._loaded = True

    async def _read(self) -> str:
        """The workflow id of a rollout that never said its end, or ''."""
        known = await call(LOAD_ENVIRONMENT, self._place, f"what {self._place.key} runs", attempts=0)
        self._served = list(known.served)
        self._number = max(self._number, known.count)
        return known.unfinished

    async def _mend(self, rollout_id: str) -> None:
        """A rollout that was ended from outside may have left traffic anywhere."""
        try:
            await self._settle()
        except FailureError as error:
            workflow.logger.error("what %s left of %s could not be mended: %s", rollout_id, self._place.key, why(error))

    async def _outlast(self, rollout_id: str) -> bool:
        """A rollout of an earlier life may still be moving traffic: it is turned back first. False: there was none."""
        member = GroupMember(group=self._place.key, workflow_id=rollout_id)
        asked = False
        while (await call(MEMBER_ALIVE, member, f"is {rollout_id} still running?", attempts=0)).running:
            if not asked:
                await self._ask_to_abort(rollout_id, "the environment was started anew")
                asked = True
            await workflow.sleep(LOOK, summary=f"until {rollout_id} has ended")
        return asked

    async def _serve(self, request: RolloutRequest) -> None:
        self._active = request
        self._show()
        result = await self._unchanged(request) if self._is_stable(request) else await self._roll_out(request)
        if result.status == "promoted":
            self._remember(request)
        self._active = None
        self._unwanted = None
        self._results = [*self._results, result][-ANSWERS:]
        self._return_all_the_same(result)
        self._numbers = {done.request_id: self._numbers[done.request_id] for done in self._results} | {
            waiting.request_id: self._numbers[waiting.request_id] for waiting in self._queue
        }
        await self._answer(request, result)

    def _return_all_the_same(self, result: RolloutResult) -> None:
        """Somebody wanted this rollout turned back when it was too late for that: its release is returned from."""
        asked, self._return = self._return, None
        if asked is None or result.status != "promoted" or len(self._served) < 2:
            return
        self._number += 1
        request = request_for(previous(self._served, None), asked, self._number, workflow.time())
        self._numbers[request.request_id] = self._number
        self._queue = [request, *self._queue]

    def _is_stable(self, request: RolloutRequest) -> bool:
        return bool(self._served) and self._served[0].release.id == request.release.id

    async def _unchanged(self, request: RolloutRequest) -> RolloutResult:
        """The release is stable already: make sure that it runs and has the traffic, which also mends what somebody broke."""
        stable = self._served[0].release
        reason, status = f"{stable.id} is the stable release already", "unchanged"
        try:
            await self._settle()
        except FailureError as error:
            reason, status = f"{stable.id} is the stable release already, but it does not run: {why(error)}", "failed"
        return RolloutResult.model_validate(
            {
                "request_id": request.request_id,
                "status": status,
                "reason": reason,
                "release_id": stable.id,
                "stable_id": stable.id,
            }
        )

    async def _settle(self) -> None:
        """Stable has its replicas and all the traffic; where there is no stable release, nothing has."""
        stable = self._stable()
        if stable:
            await call(ENSURE_RELEASE, EnsureInput(release=stable, replicas=stable.replicas), f"{stable.id} runs")
        route = RouteInput(
            place=self._place,
            weights={stable.id: 100} if stable else {},
            revision=1,
            rollout=f"settle-{self._number}-{workflow.info().run_id}",
        )
        await call(ROUTE, route, f"traffic: 100 % to {stable.id if stable else 'nothing'}")

    async def _roll_out(self, request: RolloutRequest) -> RolloutResult:
        """What nobody wants any more does not start. One that was started and is not wanted is turned back."""
        if self._unwanted:
            return self._not_started(request, self._unwanted)
        started = workflow.time()
        try:
            self._child = await self._start(request)
            if self._unwanted:
                await self._turn_back(self._unwanted)
            result: RolloutResult = await self._child
            return result
        except ChildWorkflowError as error:
            return await self._clean_up(request, why(error), started)
        finally:
            self._child = None

    async def _start(self, request: RolloutRequest) -> workflow.ChildWorkflowHandle[Any, RolloutResult]:
        """A rollout of an earlier life that the records do not know yet may have the number."""
        while True:
            try:
                return await workflow.start_child_workflow(
                    "RolloutWorkflow",
                    RolloutInput(request=request, stable=self._stable(), fast=request.fast),
                    id=self._rollout_id(request),
                    result_type=RolloutResult,
                    task_queue="deploy",
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    static_summary=f"{request.kind}: {request.release.id} to {self._place.key}",
                    search_attributes=_attributes(request),
                )
            except WorkflowAlreadyStartedError:
                await self._outlast(self._rollout_id(request))
                await self._read()
                self._number += 1
                self._numbers[request.request_id] = self._number

    def _not_started(self, request: RolloutRequest, unwanted: Abort) -> RolloutResult:
        return RolloutResult(
            request_id=request.request_id,
            status=_ending(unwanted),
            reason=unwanted.reason or f"withdrawn by {unwanted.actor}",
            release_id=request.release.id,
            stable_id=self._stable_id(),
        )

    async def _clean_up(self, request: RolloutRequest, reason: str, started: float) -> RolloutResult:
        """The rollout was terminated or failed itself: put the traffic back and remove what it left."""
        candidate, rollout = request.release, self._rollout_id(request)
        reason = f"the rollout was ended from outside: {reason}"
        try:
            await self._settle()
            retire = RetireInput(place=self._place, release_id=candidate.id)
            await call(RETIRE_RELEASE, retire, f"remove {candidate.id}, left by a rollout that was ended from outside")
        except FailureError as error:
            reason = f"{reason}; and cleaning up failed: {why(error)}"
        record = deployment_record(request, rollout, self._stable(), "failed", reason, started, workflow.time())
        await call(RECORD_DEPLOYMENT, record, f"record what became of {rollout}")
        return RolloutResult(
            request_id=request.request_id,
            status="failed",
            reason=reason,
            release_id=candidate.id,
            stable_id=self._stable_id(),
            workflow_id=rollout,
        )

    def _remember(self, request: RolloutRequest) -> None:
        now = workflow.time()
        before = [self._served[0].model_copy(update={"until": now}), *self._served[1:]] if self._served else []
        before = [served for served in before if served.release.id != request.release.id]
        self._served = [Served(release=request.release, spec=request.spec, since=now), *before][:RETURNABLE]

    async def _answer(self, request: RolloutRequest, result: RolloutResult) -> None:
        if not request.reply_to:
            return
        try:
            await workflow.get_external_workflow_handle(request.reply_to).signal("rollout_finished", result)
        except ApplicationError:
            workflow.logger.info("%s has ended and needs no answer", request.reply_to)

    @workflow.update
    async def request(self, request: RolloutRequest) -> Ticket:
        """Take a rollout in; a request that is known already gets its answer again."""
        await workflow.wait_condition(lambda: self._loaded)
        return await self._ticket(request)

    async def _ticket(self, request: RolloutRequest) -> Ticket:
        for result in self._results:
            if result.request_id == request.request_id:
                await self._answer(request, result)
                return Ticket(workflow_id=result.workflow_id)
        if request.request_id not in self._numbers:
            await self._take(request)
            await self._forget_withdrawn(request.request_id)
        return Ticket(workflow_id=self._rollout_id(request), ahead=self._ahead(request))

    async def _take(self, request: RolloutRequest) -> None:
        self._number += 1
        self._numbers[request.request_id] = self._number
        superseded = self._queue if request.policy == "supersede" else []
        self._queue = [*(waiting for waiting in self._queue if waiting not in superseded), request]
        for waiting in superseded:
            await self._drop(waiting, Abort(actor="environment", reason=f"superseded by {request.release.id}"))
        if self._active and request.policy == "supersede":
            await self._turn_back(Abort(actor="environment", reason=f"superseded by {request.release.id}"))
        self._show()

    async def _drop(self, waiting: RolloutRequest, unwanted: Abort) -> None:
        """One that waited and will never start."""
        result = self._not_started(waiting, unwanted)
        self._results = [*self._results, result][-ANSWERS:]
        await self._answer(waiting, result)

    async def _forget_withdrawn(self, request_id: str) -> None:
        """Its withdrawal came before the request itself."""
        early = [withdrawal for withdrawal in self._withdrawn if withdrawal.request_id == request_id]
        self._withdrawn = [withdrawal for withdrawal in self._withdrawn if withdrawal.request_id != request_id]
        if early:
            await self._withdraw(early[0])

    @workflow.signal
    async def withdraw(self, asked: Withdrawal) -> None:
        """Whoever asked for a rollout does not want it any more. Withdrawing twice, or too late, changes nothing."""
        await workflow.wait_condition(lambda: self._loaded)
        await self._withdraw(asked)

    async def _withdraw(self, asked: Withdrawal) -> None:
        unwanted = Abort(actor=asked.actor, reason=asked.reason)
        waiting = [request for request in self._queue if request.request_id == asked.request_id]
        if waiting:
            self._queue = [request for request in self._queue if request not in waiting]
            await self._drop(waiting[0], unwanted)
            self._show()
        elif self._active and self._active.request_id == asked.request_id:
            await self._turn_back(unwanted)
        elif asked.request_id not in self._numbers:
            self._withdrawn = [*self._withdrawn, asked][-ANSWERS:]

    @workflow.update
    async def rollback(self, asked: RollbackRequest) -> Ticket:
        """Return to an earlier release. While a rollout is under way and no release is named, that rollout is turned back.

        Asked again while a rollback is under way, that one is the answer: what it returns from is never returned to by mistake.
        """
        await workflow.wait_condition(lambda: self._loaded)
        if asked.request_id in self._numbers:
            return Ticket(workflow_id=f"rollout/{self._place.key}/{self._numbers[asked.request_id]}")
        if self._active and asked.to in (None, self._stable_id()):
            rollout = self._rollout_id(self._active)
            if self._active.kind == "rollout" or asked.to:
                self._return = asked if asked.to is None else None
                await self._turn_back(Abort(actor=asked.actor, reason=asked.reason or f"rollback asked by {asked.actor}"))
            return Ticket(workflow_id=rollout)
        try:
            target = previous(self._served, asked.to)
        except SwitchyardError as error:
            raise refuse(str(error), type(error).__name__) from error
        return await self._ticket(request_for(target, asked, self._number + 1, workflow.time()))

    async def _turn_back(self, unwanted: Abort) -> None:
        """The rollout under way, which may not have started yet. The first to ask is who turned it back."""
        self._unwanted = self._unwanted or unwanted
        if self._child is None:
            return
        try:
            await self._child.signal("abort_request", unwanted)
        except ApplicationError:
            workflow.logger.info("the rollout has ended before it could be turned back")

    async def _ask_to_abort(self, rollout_id: str, reason: str) -> None:
        asked = Abort(actor="environment", reason=reason)
        try:
            await workflow.get_external_workflow_handle(rollout_id).signal("abort_request", asked)
        except ApplicationError:
            workflow.logger.info("%s has ended before it could be aborted", rollout_id)

    @workflow.query
    def view(self) -> EnvironmentView:
        return EnvironmentView(
            environment=self._place.environment,
            service=self._place.service,
            stable=self._stable(),
            history=[served.release for served in self._served],
            active=self._rollout_id(self._active) if self._active else "",
            queued=[self._rollout_id(request) for request in self._queue],
        )

    def _stable(self) -> Release | None:
        return self._served[0].release if self._served else None

    def _stable_id(self) -> str:
        return self._served[0].release.id if self._served else ""

    def _rollout_id(self, request: RolloutRequest) -> str:
        return f"rollout/{self._place.key}/{self._numbers[request.request_id]}"

    def _ahead(self, request: RolloutRequest) -> int:
        waiting = [queued.request_id for queued in self._queue]
        behind = waiting.index(request.request_id) if request.request_id in waiting else 0
        return behind + (1 if self._active and request.request_id in waiting else 0)

    def _show(self) -> None:
        workflow.set_current_details(environment_details(self.view()))

    def _remembered(self) -> EnvironmentState:
        return EnvironmentState(
            place=self._place,
            served=self._served,
            number=self._number,
            queue=self._queue,
            numbers=self._numbers,
            results=self._results,
            withdrawn=self._withdrawn,
            loaded=True,
        )


def _ending(unwanted: Abort) -> Literal["superseded", "aborted"]:
    return "superseded" if unwanted.actor == "environment" else "aborted"


def _attributes(request: RolloutRequest) -> TypedSearchAttributes:
    release = request.release
    values = {
        attributes.SERVICE: release.place.service,
        attributes.ENVIRONMENT: release.place.environment,
        attributes.SHA: release.sha,
        attributes.STRATEGY: request.spec.strategy if request.kind == "rollout" else "rollback",
        attributes.STATUS: "progressing",
    }
    return TypedSearchAttributes(
        [SearchAttributePair(SearchAttributeKey.for_keyword(name), value) for name, value in values.items() if value]
    )
