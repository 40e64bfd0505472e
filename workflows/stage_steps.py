"""How a stage's steps are run: all on the host that has its workspace; when that is lost, all of them again on another."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from pipelines.builtins import BUILTINS
from pipelines.keys import step_key
from pipelines.messages.build import StageResult, StageSeal, StepInput, StepResult, Workspace
from pipelines.messages.common import Status
from pipelines.messages.runs import StepView
from pipelines.ports import RUN_STEP, SEAL_STAGE
from pipelines.spec import Stage, Step
from workflows.calls import call, call_unless, host_lost, why
from workflows.run_book import Page, RunBook, step_view
from workflows.stage_environment import step_environment
from workflows.workspaces import Workspaces

MOST_HOSTS = 5
"""Hosts that may be lost under one stage before it gives up."""
GRACE = 60.0
"""Seconds above a step's own timeout, which its supervisor enforces, after which the attempt counts as lost."""


class WorkspaceGone(Exception):  # noqa: N818
    """What the stage's steps have done is gone with their host. Never leaves this file."""


class StepRunner:
    """The steps of one stage instance, and what they leave."""

    def __init__(self, book: RunBook, page: Page, workspaces: Workspaces) -> None:
        self._book = book
        self._page = page
        self._stage = page.instance.stage
        self._workspaces = workspaces
        self._queue = queue_of(page.instance.stage)

    async def run(self) -> str:
        """Why the steps failed, or ''. Reused when an equal stage has passed."""
        look_up = self._stage.reuse and self._book.request.reuse and not self._page.redone
        opened = await self._workspaces.open(self._page, self._queue, look_up=look_up)
        if opened.reused:
            self._take(opened.reused)
            return ""
        for _ in range(MOST_HOSTS):
            workspace = await self._workspaces.on(self._page, self._queue)
            try:
                return await self._on(workspace)
            except WorkspaceGone:
                self._page.start_over()
        return f"{MOST_HOSTS} hosts were lost under it"

    def _take(self, result: StageResult) -> None:
        """What the equal stage left counts as this one's; its files come when a later stage needs a workspace."""
        page = self._page
        page.sealed = result.model_copy(update={"status": Status.reused})
        reused = [step.model_copy(update={"status": Status.reused, "reused": True}) for step in result.steps]
        page.steps = {index: step_view(index, step) for index, step in enumerate(reused)}
        if result.layer:
            self._book.layers.append(result.layer)
        page.status = Status.reused

    async def _on(self, workspace: Workspace) -> str:
        """The steps in order and in time; then what they left is collected, also when they failed, for a retry goes on there."""
        if self._page.ground not in (None, workspace):
            self._page.start_over()
        self._page.ground = workspace
        try:
            async with asyncio.timeout(self._stage.timeout):
                failed = await self._in_order(workspace)
        except TimeoutError:
            failed = f"timed out after {self._stage.timeout:g} s"
        try:
            await self._seal(workspace, Status.failed if failed else Status.passed)
        except WorkspaceGone:
            if not failed:
                raise
            self._page.start_over()
        return failed

    async def _in_order(self, workspace: Workspace) -> str:
        for index, step in enumerate(self._stage.steps):
            done = self._page.results.get(index)
            if done and done.status.ok and index in self._page.steps:
                continue
            result = await self._step(index, step, workspace)
            if not result.status.ok and not step.allow_failure:
                return f"{step.title}: {result.message or result.status}"
        return ""

    async def _step(self, index: int, step: Step, workspace: Workspace) -> StepResult:
        """The step, and again as often as the stage's retry for real failures says."""
        result = await self._attempt(index, step, workspace)
        for _ in range(self._stage.retry.failure):
            if result.status.ok:
                break
            result = await self._attempt(index, step, workspace)
        return result

    async def _attempt(self, index: int, step: Step, workspace: Workspace) -> StepResult:
        page = self._page
        page.attempts[index] = page.attempts.get(index, 0) + 1
        page.steps[index] = StepView(index=index, title=step.title, status=Status.running, attempt=page.attempts[index])
        self._book.show()
        try:
            result = await self._carry_out(index, step, workspace)
        except ActivityError as error:
            page.end_step(index, Status.failed, why(error))
            raise
        except asyncio.CancelledError:
            page.end_step(index, Status.cancelled, "stopped")
            raise
        page.results[index] = result
        page.steps[index] = step_view(index, result)
        self._book.show()
        return result

    async def _carry_out(self, index: int, step: Step, workspace: Workspace) -> StepResult:
        """Raises WorkspaceGone when the host is lost, be it under this stage or under another one that shares the workspace."""
        try:
            result = await call_unless(
                lambda: self._workspaces.is_lost(workspace),
                RUN_STEP,
                self._step_input(index, step, workspace),
                f"{self._page.name}: {step.title}",
                queue=workspace.queue,
                timeout=step.timeout + GRACE,
                attempts=self._stage.retry.infrastructure + 1,
            )
        except ActivityError as error:
            self._must_be_there(workspace, error)
            raise
        if result is None:
            raise WorkspaceGone
        return result

    def _must_be_there(self, workspace: Workspace, error: ActivityError) -> None:
        if host_lost(error):
            self._workspaces.lost(workspace, why(error))
            raise WorkspaceGone from error

    def _step_input(self, index: int, step: Step, workspace: Workspace) -> StepInput:
        book, page = self._book, self._page
        names = [] if book.request.fork else [*self._stage.secrets, *step.secrets]
        secrets = book.commit.pipeline.secrets
        return StepInput(
            key=self._step_key(index, step),
            run_id=book.run_id,
            repo=book.request.repo,
            stage=page.name,
            index=index,
            step=step,
            workspace=workspace,
            env=step_environment(book, page),
            secrets={name: secrets[name] for name in secrets if name in names},
            attempt=page.attempts[index],
            execution=book.execution,
        )

    def _step_key(self, index: int, step: Step) -> str:
        """A step that somebody wants done again although it passed is another step to the host, which would know its result."""
        book, page = self._book, self._page
        run = f"{book.run_id}#{book.execution}#{page.redone[index]}" if index in page.redone else book.run_id
        return step_key(run, page.name, index, step, page.instance.cell)

    async def _seal(self, workspace: Workspace, status: Status) -> None:
        """Collect reports, artifacts, caches and the layer. Raises WorkspaceGone."""
        try:
            summary = f"collect what {self._page.name} left"
            sealed = await call(SEAL_STAGE, self._stage_seal(workspace, status), summary, queue=workspace.queue)
        except ActivityError as error:
            self._must_be_there(workspace, error)
            raise
        self._page.sealed, self._page.ground = sealed, None
        if sealed.layer:
            self._book.layers.append(sealed.layer)

    def _stage_seal(self, workspace: Workspace, status: Status) -> StageSeal:
        page, book = self._page, self._book
        return StageSeal(
            run=book.request,
            run_id=book.run_id,
            tree=book.commit.tree,
            version=book.commit.version,
            stage=page.name,
            stage_key=page.key if self._stage.reuse else "",
            status=status,
            steps=[page.results[index] for index in sorted(page.results)],
            workspace=workspace,
            started_at=page.started_at or workflow.time(),
            reports=self._stage.reports,
            artifacts=self._stage.artifacts,
            caches=self._stage.caches,
            layer=True,
        )


def queue_of(stage: Stage) -> str:
    """The task queue of the service that the stage belongs to: that of its first check, or build when it has only commands.

    All its steps run on one host of that service, for each works on what the ones before left in the workspace.
    """
    services = [BUILTINS[step.uses].queue for step in stage.steps if step.uses in BUILTINS]
    return next((queue for queue in services if queue != "build"), "build")
