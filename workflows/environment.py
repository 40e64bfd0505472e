"""EnvironmentWorkflow: one service in one environment. One rollout at a time; a newer one queues or supersedes."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError, ChildWorkflowError, FailureError

with workflow.unsafe.imports_passed_through():
    from pipelines import attributes
    from pipelines.details import environment_details
    from pipelines.environment import previous, request_for
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
    )
    from pipelines.messages.group import GroupMember
    from pipelines.messages.rollout import EnvironmentState, RolloutInput
    from pipelines.messages.runs import Abort, EnvironmentView
    from pipelines.ports import ENSURE_RELEASE, LOAD_ENVIRONMENT, MEMBER_ALIVE, RETIRE_RELEASE, ROUTE
    from workflows.calls import call, refuse, why

KEPT = 20
"""Releases that an environment remembers and can return to."""
ANSWERS = 50


@workflow.defn(name="EnvironmentWorkflow")
class EnvironmentWorkflow:
    """Updates: request, rollback. Query: view. Started by the first request; lives for ever by continue-as-new."""

    @workflow.init
    def __init__(self, state: EnvironmentState) -> None:
        self._state = state
        self._place = state.place
        self._served = list(state.served)
        self._queue = list(state.queue)
        self._numbers = dict(state.numbers)
        self._results = list(state.results)
        self._number = state.number
        self._active: RolloutRequest | None = None
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
        known = await call(LOAD_ENVIRONMENT, self._place, f"what {self._place.key} runs", attempts=0)
        self._served = list(known.served)
        self._number = max(self._number, known.count)
        if known.unfinished:
            await self._outlast(known.unfinished)
        self._loaded = True

    async def _outlast(self, rollout_id: str) -> None:
        """A rollout of an earlier life of this environment may still be moving traffic: it is turned back first."""
        member = GroupMember(group=self._place.key, workflow_id=rollout_id)
        asked = False
        while (await call(MEMBER_ALIVE, member, f"is {rollout_id} still running?", attempts=0)).running:
            if not asked:
                await self._ask_to_abort(rollout_id, "the environment was started anew")
                asked = True
            await workflow.sleep(2, summary=f"until {rollout_id} has ended")

    async def _serve(self, request: RolloutRequest) -> None:
        self._active = request
        self._show()
        result = await self._unchanged(request) if self._is_stable(request) else await self._roll_out(request)
        if result.status == "promoted":
            self._remember(request)
        self._active = None
        self._results = [*self._results, result][-ANSWERS:]
        self._numbers = {done.request_id: self._numbers[done.request_id] for done in self._results} | {
            waiting.request_id: self._numbers[waiting.request_id] for waiting in self._queue
        }
        await self._answer(request, result)

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
        """Stable has its replicas and all the traffic."""
        if not self._served:
            return
        stable = self._served[0].release
        await call(ENSURE_RELEASE, EnsureInput(release=stable, replicas=stable.replicas), f"{stable.id} runs", attempts=5)
        route = RouteInput(
            place=self._place, weights={stable.id: 100}, revision=1, rollout=f"settle-{self._number}-{workflow.info().run_id}"
        )
        await call(ROUTE, route, f"traffic: 100 % to {stable.id}")

    async def _roll_out(self, request: RolloutRequest) -> RolloutResult:
        try:
            handle = await workflow.start_child_workflow(
                "RolloutWorkflow",
                RolloutInput(request=request, stable=self._stable(), fast=request.fast),
                id=self._rollout_id(request),
                result_type=RolloutResult,
                task_queue="deploy",
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"{request.kind}: {request.release.id} to {self._place.key}",
                search_attributes=_attributes(request),
            )
            result: RolloutResult = await handle
            return result
        except ChildWorkflowError as error:
            return await self._clean_up(request, why(error))

    async def _clean_up(self, request: RolloutRequest, reason: str) -> RolloutResult:
        """The rollout was terminated or failed itself: put the traffic back and remove what it left."""
        candidate = request.release
        try:
            await self._settle()
            if self._served:
                retire = RetireInput(place=self._place, release_id=candidate.id)
                await call(RETIRE_RELEASE, retire, f"remove {candidate.id}, left by a rollout that was ended from outside")
        except FailureError as error:
            reason = f"{reason}; and cleaning up failed: {why(error)}"
        return RolloutResult(
            request_id=request.request_id,
            status="failed",
            reason=f"the rollout was ended from outside: {reason}",
            release_id=candidate.id,
            stable_id=self._stable_id(),
            workflow_id=self._rollout_id(request),
        )

    def _remember(self, request: RolloutRequest) -> None:
        now = workflow.time()
        before = [self._served[0].model_copy(update={"until": now}), *self._served[1:]] if self._served else []
        before = [served for served in before if served.release.id != request.release.id]
        self._served = [Served(release=request.release, spec=request.spec, since=now), *before][:KEPT]

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
        return Ticket(workflow_id=self._rollout_id(request), ahead=self._ahead(request))

    async def _take(self, request: RolloutRequest) -> None:
        self._number += 1
        self._numbers[request.request_id] = self._number
        superseded = self._queue if request.policy == "supersede" else []
        self._queue = [*(waiting for waiting in self._queue if waiting not in superseded), request]
        for waiting in superseded:
            result = RolloutResult(
                request_id=waiting.request_id, status="superseded", reason=f"superseded by {request.release.id}"
            )
            self._results = [*self._results, result][-ANSWERS:]
            await self._answer(waiting, result)
        if self._active and request.policy == "supersede":
            await self._ask_to_abort(self._rollout_id(self._active), f"superseded by {request.release.id}")
        self._show()

    @workflow.update
    async def rollback(self, asked: RollbackRequest) -> Ticket:
        """Return to an earlier release. While a rollout is under way and no release is named, that rollout is turned back."""
        await workflow.wait_condition(lambda: self._loaded)
        if self._active and asked.to is None:
            rollout = self._rollout_id(self._active)
            await self._ask_to_abort(rollout, asked.reason or f"rollback asked by {asked.actor}", asked.actor)
            return Ticket(workflow_id=rollout)
        try:
            target = previous(self._served, asked.to)
        except SwitchyardError as error:
            raise refuse(str(error), type(error).__name__) from error
        return await self._ticket(request_for(target, asked, self._number + 1, workflow.time()))

    async def _ask_to_abort(self, rollout_id: str, reason: str, actor: str = "environment") -> None:
        try:
            await workflow.get_external_workflow_handle(rollout_id).signal("abort_request", Abort(actor=actor, reason=reason))
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
            loaded=True,
        )


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
