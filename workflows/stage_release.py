"""A stage's release: ask the environment for a rollout and wait for its end, whatever happens to anybody in between."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from pipelines.messages.deploy import Place, Release, RolloutRequest, RolloutResult, Ticket, Withdrawal
from pipelines.messages.runs import Abort, environment_workflow_id
from pipelines.ports import REQUEST_ROLLOUT
from pipelines.releases import release_of
from pipelines.spec import RollingSpec
from workflows.calls import call, undisturbed
from workflows.run_book import Page, RunBook

ASK_AGAIN = 300.0
"""Seconds after which the environment is asked again: its answer is lost when somebody ends it by hand."""


class ReleaseStage:
    """One rollout on behalf of one stage of a run."""

    def __init__(self, book: RunBook, page: Page, place: Place) -> None:
        self._book = book
        self._page = page
        self._place = place
        # Another one for every try, also behind a reset; and the same one in every replay, which a run's own id is not.
        self._id = f"{workflow.uuid4()}:{page.name}:{book.run_id}"
        self._asked: asyncio.Task[Ticket] | None = None

    async def run(self) -> str:
        """Why the release failed, or ''. When cancelled, the rollout is turned back before the cancellation goes on."""
        spec = self._page.instance.stage.release
        artifact = self._book.artifact(spec.artifact) if spec else None
        if spec is None or artifact is None:
            return f"there is no artifact '{spec.artifact if spec else ''}' to release; an earlier stage must declare it"
        request = self._request(release_of(spec, self._place, artifact, self._book.commit, self._book.run_id))
        self._page.releases += 1
        try:
            result = await self._rolled_out(request)
        except asyncio.CancelledError:
            await self._turn_back(request)
            raise
        return "" if result.status in ("promoted", "unchanged") else f"rollout {result.status}: {result.reason}"

    def _request(self, release: Release) -> RolloutRequest:
        stage, book = self._page.instance.stage, self._book
        spec = stage.rollout or RollingSpec()
        return RolloutRequest(
            request_id=self._id,
            release=release,
            spec=spec,
            policy=spec.when_busy,
            actor=book.request.actor,
            author=book.commit.author,
            reason=book.commit.subject,
            reply_to=book.run_id,
            committed_at=book.commit.committed_at,
        )

    async def _rolled_out(self, request: RolloutRequest) -> RolloutResult:
        while True:
            self._asked = asyncio.create_task(
                call(REQUEST_ROLLOUT, request, f"roll {request.release.id} out to {self._place.key}")
            )
            ticket = await asyncio.shield(self._asked)
            self._page.rollout_id = ticket.workflow_id
            self._page.waiting_for = f"rollout {ticket.workflow_id}"
            self._book.show()
            try:
                await workflow.wait_condition(
                    lambda: self._id in self._book.rollouts, timeout=ASK_AGAIN, timeout_summary=f"rollout {ticket.workflow_id}"
                )
                return self._book.rollouts[self._id]
            except TimeoutError:
                continue

    async def _turn_back(self, request: RolloutRequest) -> None:
        """The run was stopped: so is its rollout, even one that has only been asked for. The run ends when the traffic is back on
        stable, not before."""
        undisturbed()
        if self._asked is None:
            return
        await asyncio.gather(self._asked, return_exceptions=True)
        stopped = self._book.stopped or Abort(actor="switchyard", reason="another stage failed")
        environment = environment_workflow_id(self._place.environment, self._place.service)
        withdrawal = Withdrawal(
            request_id=self._id, actor=stopped.actor, reason=f"the run was stopped: {stopped.reason or 'no reason given'}"
        )
        try:
            await workflow.get_external_workflow_handle(environment).signal("withdraw", withdrawal)
        except ApplicationError:
            return
        await self._rolled_out(request)
