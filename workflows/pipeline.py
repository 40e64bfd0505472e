"""PipelineWorkflow: takes one commit through its pipeline.

Stages run as soon as what they need has passed. A failed run is held open for a while, so that people can retry, skip or
abort it where it stands; what has finished is never done again.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from pipelines import attributes
    from pipelines.conditions import concurrency_group, not_triggered, skip_reasons
    from pipelines.events import run_finished, run_started
    from pipelines.graph import expand, ready
    from pipelines.keys import stage_key
    from pipelines.messages.common import RunRequest, Status
    from pipelines.messages.deploy import RolloutResult
    from pipelines.messages.group import GroupMember, group_workflow_id
    from pipelines.messages.notify import Notification, RunRecord
    from pipelines.messages.runs import Abort, Answer, Approve, Retry, RunResult, RunView, Skip
    from pipelines.ports import RECORD_RUN, RESOLVE
    from pipelines.spec import Pipeline
    from workflows.calls import call, why
    from workflows.run_book import Page, RunBook
    from workflows.run_people import RunPeople
    from workflows.stage import StageRunner, take_turn
    from workflows.tell import Teller
    from workflows.workspaces import Workspaces

_SERVICE = SearchAttributeKey.for_keyword(attributes.SERVICE)


@workflow.defn(name="PipelineWorkflow")
class PipelineWorkflow(RunPeople):
    """Updates: approve, retry, skip, abort. Signals: rollout_finished, group_turn. Query: view."""

    @workflow.init
    def __init__(self, request: RunRequest) -> None:
        info = workflow.info()
        super().__init__(RunBook(request, info.workflow_id, info.run_id, workflow.time(), Teller(info.workflow_id)))
        self._workspaces = Workspaces(self.book)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = ""

    @workflow.run
    async def run(self, request: RunRequest) -> RunResult:
        driver = asyncio.create_task(self._drive())
        while not driver.done():
            try:
                await asyncio.shield(driver)
            except asyncio.CancelledError:
                self.stop(Abort(actor="temporal", reason=workflow.cancellation_reason() or "the run was cancelled"))
        driver.result()
        if self.book.status == Status.failed:
            raise ApplicationError(self.book.reason, self._result(), type="RunFailed", non_retryable=True)
        return self._result()

    async def _drive(self) -> None:
        self._announce("run.started")
        if await self._resolve() and await self._have_turn():
            await self._stages()
        await self._finish()

    async def _resolve(self) -> bool:
        """Fetch the commit and read its pipeline. A pipeline that is wrong fails the run with the loader's own words."""
        task = asyncio.create_task(call(RESOLVE, self.book.request, f"fetch {self.book.request.sha[:8]} and read its pipeline"))
        await workflow.wait_condition(lambda: task.done() or self.aborted is not None)
        if self.aborted:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return False
        try:
            self.book.resolved = task.result()
        except ActivityError as error:
            self.book.status, self.book.reason = Status.failed, why(error)
            return False
        self._lay_out(self.book.commit.pipeline)
        unwanted = not_triggered(self.book.commit.pipeline.on, self.book.request)
        if unwanted:
            self.book.status, self.book.reason = Status.skipped, unwanted
        return not unwanted

    def _lay_out(self, pipeline: Pipeline) -> None:
        """One page per stage instance, in the pipeline's order."""
        for instance in expand(pipeline):
            self.book.pages[instance.name] = Page(instance)
        instances = [page.instance for page in self.book.pages.values()]
        for name, reason in skip_reasons(instances, self.book.request, self.book.commit.changed).items():
            self.book.pages[name].status, self.book.pages[name].reason = Status.skipped, reason
        workflow.upsert_search_attributes([_SERVICE.value_set(pipeline.service)])
        self.book.show()

    async def _have_turn(self) -> bool:
        spec = self.book.commit.pipeline.concurrency
        if spec is None:
            return True
        group = concurrency_group(spec, self.book.request)
        member = GroupMember(group=group, workflow_id=self.book.run_id, policy=spec.policy)
        self.book.status, self.book.reason = Status.waiting, f"waits for its turn in {group}"
        self.book.show()
        turn = asyncio.create_task(take_turn(self.book, member))
        await workflow.wait_condition(lambda: turn.done() or self.aborted is not None)
        self.book.status, self.book.reason = Status.running, ""
        if self.aborted:
            turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)
            return False
        try:
            turn.result()
        except ActivityError as error:
            self.book.status, self.book.reason = Status.failed, f"could not queue in {group}: {why(error)}"
            return False
        return True

    async def _stages(self) -> None:
        """Until all stages have passed, the run is aborted, or nobody mends a failed one in time."""
        while True:
            await self._run_what_can_run()
            if self.aborted or self._all_well():
                return
            if not await self._held():
                return

    async def _run_what_can_run(self) -> None:
        """One round: until nothing more can start, or something makes the rest stop. The pipeline's timeout bounds each round,
        so that a retry has time again, and neither a run that is held nor one that waits for its turn uses it up."""
        self._stopping = ""
        clock = asyncio.create_task(workflow.sleep(self.book.commit.pipeline.timeout, summary="the pipeline's timeout"))
        while not (self.aborted or self._stopping):
            self._start_ready()
            if not self._tasks:
                break
            await workflow.wait_condition(lambda: self._something_ended() or clock.done() or self.aborted is not None)
            if clock.done():
                self._stopping = f"timed out after {self.book.commit.pipeline.timeout:g} s"
            await self._reap()
        clock.cancel()
        await self._stop_running()

    def _something_ended(self) -> bool:
        return any(task.done() for task in self._tasks.values())

    def _start_ready(self) -> None:
        pages = self.book.pages
        instances = [page.instance for page in pages.values()]
        finished = {name: self._verdict(page) for name, page in pages.items() if page.status.final}
        for instance in ready(instances, finished, list(self._tasks)):
            self._start(pages[instance.name])

    def _verdict(self, page: Page) -> str:
        """What the page's end means for those who need it."""
        if page.status == Status.skipped:
            return "skipped"
        return "passed" if page.status.ok or page.instance.stage.allow_failure else "failed"

    def _start(self, page: Page) -> None:
        page.key = self._key(page)
        runner = StageRunner(self.book, page, self._workspaces)
        self._tasks[page.name] = asyncio.create_task(runner.run(), name=page.name)

    def _key(self, page: Page) -> str:
        """What follows a stage that somebody skipped, or that was allowed to fail, is not what follows one that passed."""
        pages = {name: self.book.pages[name] for name in page.instance.all_needs}
        needs = {
            name: need.key if need.status in (Status.passed, Status.reused) else f"{need.status} {need.key}"
            for name, need in pages.items()
        }
        return stage_key(self.book.commit.tree, page.instance, self.book.commit.pipeline, needs)

    async def _reap(self) -> None:
        for name in [name for name, task in self._tasks.items() if task.done()]:
            task = self._tasks.pop(name)
            if not task.cancelled():
                task.result()
            page = self.book.pages[name]
            await self._leave([page.turn] if page.turn else [])
            page.turn = None
            if page.status == Status.failed and self._verdict(page) == "failed" and self.book.commit.pipeline.fail_fast:
                self._stopping = f"{name} failed"

    async def _stop_running(self) -> None:
        """Stop the siblings and wait until their processes are dead and their rollouts are back on stable."""
        for task in self._tasks.values():
            task.cancel()
        while self._tasks:
            await workflow.wait_condition(self._something_ended)
            await self._reap()

    def _all_well(self) -> bool:
        return not self._failed_pages() and all(page.status.final for page in self.book.pages.values())

    def _failed_pages(self) -> list[Page]:
        return [
            page
            for page in self.book.pages.values()
            if page.status in (Status.failed, Status.cancelled) and not page.instance.stage.allow_failure
        ]

    async def _held(self) -> bool:
        """Held open for people: True when somebody retried or skipped, False when the time is over or the run was aborted."""
        book, hold = self.book, self.book.commit.pipeline.hold
        reasons = [f"{page.name}: {page.reason}" for page in self._failed_pages() if page.status == Status.failed]
        book.reason = "; ".join(reasons) or self._stopping
        self.mended = False
        if hold > 0:
            book.status, book.held_until = Status.held, workflow.time() + hold
            self._announce("run.held")
            await self._until_mended(hold)
        book.held_until = None
        if self.mended and not self.aborted:
            book.status, book.reason = Status.running, ""
            self._announce("run.resumed")
            return True
        book.status = Status.failed
        return False

    async def _until_mended(self, hold: float) -> None:
        try:
            await workflow.wait_condition(
                lambda: self.mended or self.aborted is not None,
                timeout=hold,
                timeout_summary="held open for retry, skip or abort",
            )
        except TimeoutError:
            return

    async def _finish(self) -> None:
        """Every run ends here: status, records, groups, workspaces; then nothing is left to do."""
        book = self.book
        if self.aborted:
            book.status, book.reason = Status.cancelled, self.aborted.reason or f"aborted by {self.aborted.actor}"
        elif book.status == Status.running:
            book.status = Status.passed
        book.finished_at = workflow.time()
        self._announce("run.finished")
        await self._leave(list(book.turns))
        if book.status == Status.passed:
            await self._workspaces.drop()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await book.teller.drain()

    async def _leave(self, turns: list[GroupMember]) -> None:
        for turn in turns:
            self.book.turns.remove(turn)
            try:
                await workflow.get_external_workflow_handle(group_workflow_id(turn.group)).signal("leave", turn)
            except ApplicationError:
                workflow.logger.info("group %s has ended already", turn.group)

    def _announce(self, action: str) -> None:
        """Audit, record, event and, where people should look, a notification."""
        book, request = self.book, self.book.request
        book.show()
        actor = request.actor if action == "run.started" else "switchyard"
        book.teller.audit(action, actor, book.reason, status=str(book.status), sha=request.sha, event=request.event)
        book.teller.record(RECORD_RUN, self._record(), f"record run {book.status}")
        if action == "run.started":
            book.teller.publish(run_started(request, book.run_id, book.execution, book.started_at))
        elif action == "run.finished":
            book.teller.publish(run_finished(self._record()))
        if action in ("run.held", "run.finished"):
            book.teller.notify(self._note())

    def _note(self) -> Notification:
        book = self.book
        bad = book.status in (Status.failed, Status.held)
        retry = f"\nRetry with: switchyard retry '{book.run_id}'" if bad else ""
        return Notification(
            key=f"{book.run_id}/{book.execution}/{book.status}/{int(workflow.time() * 1000)}",
            level="error" if bad else "success" if book.status == Status.passed else "info",
            title=f"{book.request.repo} {book.request.branch} {book.request.sha[:8]}: {book.status}",
            text=f"{book.reason}{retry}",
        )

    def _record(self) -> RunRecord:
        book, request, commit = self.book, self.book.request, self.book.resolved
        return RunRecord(
            run_id=book.run_id,
            execution=book.execution,
            repo=request.repo,
            branch=request.branch,
            sha=request.sha,
            service=commit.pipeline.service if commit else "",
            pipeline=request.pipeline,
            event=request.event,
            actor=request.actor,
            title=request.title or (commit.subject if commit else ""),
            status=book.status,
            reason=book.reason,
            started_at=book.started_at,
            finished_at=book.finished_at,
            committed_at=commit.committed_at if commit else 0.0,
            version=commit.version if commit else "",
        )

    def _result(self) -> RunResult:
        book = self.book
        stages = {page.name: page.status for page in book.pages.values()}
        return RunResult(run_id=book.run_id, status=book.status, reason=book.reason, stages=stages)

    @workflow.update
    async def approve(self, asked: Approve) -> Answer:
        return self.on_approve(asked)

    @approve.validator
    def _may_approve(self, asked: Approve) -> None:
        self.may_approve(asked)

    @workflow.update
    async def retry(self, asked: Retry) -> Answer:
        return self.on_retry(asked)

    @retry.validator
    def _may_retry(self, asked: Retry) -> None:
        self.may_retry(asked)

    @workflow.update
    async def skip(self, asked: Skip) -> Answer:
        return self.on_skip(asked)

    @skip.validator
    def _may_skip(self, asked: Skip) -> None:
        self.may_skip(asked)

    @workflow.update
    async def abort(self, asked: Abort) -> Answer:
        return self.on_abort(asked)

    @abort.validator
    def _may_abort(self, asked: Abort) -> None:
        self.may_abort()

    @workflow.signal
    async def rollout_finished(self, result: RolloutResult) -> None:
        self.book.rollouts[result.request_id] = result

    @workflow.signal
    async def group_turn(self, member: GroupMember) -> None:
        self.book.granted.append(member.key)

    @workflow.query
    def view(self) -> RunView:
        return self.book.view()
