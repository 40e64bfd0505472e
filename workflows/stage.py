"""How one stage is run: approval, environment, steps, gate, release, checks; each part is optional."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from pipelines.approvals import missing
from pipelines.builtins import BUILTINS
from pipelines.conditions import stage_group
from pipelines.keys import step_key
from pipelines.messages.build import StageResult, StageSeal, StepInput, StepResult, Workspace
from pipelines.messages.common import Status
from pipelines.messages.deploy import CheckInput, Place, PrepareInput
from pipelines.messages.group import GroupMember
from pipelines.messages.notify import Notification
from pipelines.messages.quality import GateInput
from pipelines.messages.runs import StepView
from pipelines.ports import EVALUATE_GATE, JOIN_GROUP, PREPARE, RUN_CHECKS, RUN_STEP, SEAL_STAGE
from pipelines.spec import Step
from workflows.calls import call, host_lost, why
from workflows.run_book import Page, RunBook, step_view
from workflows.stage_environment import step_environment
from workflows.stage_release import ReleaseStage
from workflows.workspaces import Workspaces

MOST_HOSTS = 5
"""Hosts that may be lost under one step before the stage gives up."""
GRACE = 60.0
"""Seconds above a step's own timeout, which its supervisor enforces, after which the attempt counts as lost."""


class StageFailed(Exception):  # noqa: N818
    """Ends the stage; the message is the reason that people read. Never leaves this layer."""


class StageRunner:
    """Runs one stage instance and writes what happens into its page."""

    def __init__(self, book: RunBook, page: Page, workspaces: Workspaces) -> None:
        self._book = book
        self._page = page
        self._stage = page.instance.stage
        self._workspaces = workspaces

    async def run(self) -> None:
        """Never raises, except when cancelled: the page's status and reason say how it ended."""
        page = self._page
        page.status, page.started_at = Status.running, workflow.time()
        self._book.show()
        try:
            await self._parts()
            page.status = Status.reused if page.status == Status.reused else Status.passed
        except StageFailed as failed:
            page.status, page.reason = Status.failed, str(failed)
        except ActivityError as error:
            page.status, page.reason = Status.failed, why(error)
        except asyncio.CancelledError:
            page.status, page.reason = Status.cancelled, page.reason or "stopped"
            raise
        finally:
            page.waiting_for, page.finished_at = "", workflow.time()
            self._book.show()

    async def _parts(self) -> None:
        if self._stage.approval:
            await self._approval()
        if self._stage.concurrency:
            await self._turn(stage_group(self._page.instance, self._book.request))
        if self._stage.environment:
            await self._prepare()
        if self._stage.steps:
            await self._steps_in_time()
        if self._stage.gate:
            await self._gate()
        if self._stage.release:
            await self._release()
        if self._stage.checks:
            await self._checks()

    async def _approval(self) -> None:
        spec, page = self._stage.approval, self._page
        if spec is None:
            return
        page.asking, page.status = True, Status.waiting
        page.waiting_for = f"approval by {', '.join(spec.approvers) or 'anybody with a token'} ({spec.count})"
        self._tell_waiting()
        try:
            await workflow.wait_condition(
                lambda: bool(page.rejected) or missing(spec, page.approvals) == 0,
                timeout=spec.timeout,
                timeout_summary=f"approval of {page.name}",
            )
        except TimeoutError:
            if spec.on_timeout == "reject":
                raise StageFailed(f"nobody approved within {spec.timeout:g} s") from None
        finally:
            page.asking, page.waiting_for = False, ""
        if page.rejected:
            raise StageFailed(page.rejected)
        page.status = Status.running

    def _tell_waiting(self) -> None:
        book, page = self._book, self._page
        book.show()
        command = f"switchyard approve '{book.run_id}' --stage {page.name}"
        note = Notification(
            key=f"{book.run_id}/{book.execution}/{page.name}/approval",
            level="warning",
            title=f"{book.request.repo}: {page.name} waits for approval",
            text=f"{page.waiting_for}. Decide with: {command}",
        )
        book.teller.notify(note)

    async def _turn(self, group: str) -> None:
        member = GroupMember(group=group, workflow_id=self._book.run_id, token=self._page.name)
        self._page.waiting_for = f"its turn in {group}"
        self._book.show()
        await take_turn(self._book, member)
        self._page.waiting_for = ""

    async def _prepare(self) -> None:
        release = self._stage.release
        artifact = self._book.artifact(release.artifact) if release else None
        prepared = await call(PREPARE, PrepareInput(place=self._place(), artifact=artifact), f"check {self._place().key}")
        self._page.address = prepared.address

    def _place(self) -> Place:
        release = self._stage.release
        service = (release.service if release else None) or self._book.commit.pipeline.service
        target = release.target if release else "local"
        return Place(environment=self._stage.environment or "", service=service, target=target)

    async def _steps_in_time(self) -> None:
        """Reused when an equal stage has passed; otherwise its steps in order, then what they left is collected."""
        first = queue_of(self._stage.steps[0])
        opened = await self._workspaces.open(self._page, first, look_up=self._stage.reuse and self._book.request.reuse)
        if opened.reused:
            self._take(opened.reused)
            return
        try:
            async with asyncio.timeout(self._stage.timeout):
                failed = await self._steps()
        except TimeoutError:
            failed = f"timed out after {self._stage.timeout:g} s"
        await self._seal(Status.failed if failed else Status.passed)
        if failed:
            raise StageFailed(failed)

    def _take(self, result: StageResult) -> None:
        """What the equal stage left counts as this one's; its files come when a later stage needs a workspace."""
        page = self._page
        page.sealed = result.model_copy(update={"status": Status.reused})
        reused = [step.model_copy(update={"status": Status.reused, "reused": True}) for step in result.steps]
        page.steps = {index: step_view(index, step) for index, step in enumerate(reused)}
        if result.layer:
            self._book.layers.append(result.layer)
        page.status = Status.reused

    async def _steps(self) -> str:
        """Why the stage failed, or ''."""
        for index, step in enumerate(self._stage.steps):
            done = self._page.results.get(index)
            if done and done.status.ok and index in self._page.steps:
                continue
            result = await self._step(index, step)
            if not result.status.ok and not step.allow_failure:
                return f"{step.title}: {result.message or result.status}"
        return ""

    async def _step(self, index: int, step: Step) -> StepResult:
        """The step, and again as often as the stage's retry for real failures says."""
        result = await self._attempt(index, step)
        for _ in range(self._stage.retry.failure):
            if result.status.ok:
                break
            result = await self._attempt(index, step)
        return result

    async def _attempt(self, index: int, step: Step) -> StepResult:
        page = self._page
        page.attempts[index] = page.attempts.get(index, 0) + 1
        attempt = page.attempts[index]
        page.steps[index] = StepView(index=index, title=step.title, status=Status.running, attempt=attempt)
        self._book.show()
        try:
            result = await self._on_some_host(index, step, attempt)
        except (ActivityError, asyncio.CancelledError) as error:
            ended = Status.cancelled if isinstance(error, asyncio.CancelledError) else Status.failed
            page.steps[index] = page.steps[index].model_copy(update={"status": ended, "message": why(error)})
            raise
        page.results[index] = result
        page.steps[index] = step_view(index, result)
        self._book.show()
        return result

    async def _on_some_host(self, index: int, step: Step, attempt: int) -> StepResult:
        """On the host that has the workspace; when that is lost, on another, with the workspace rebuilt."""
        for _ in range(MOST_HOSTS):
            workspace = await self._workspaces.on(self._page, queue_of(step))
            try:
                return await call(
                    RUN_STEP,
                    self._step_input(index, step, attempt, workspace),
                    f"{self._page.name}: {step.title}",
                    queue=workspace.queue,
                    timeout=step.timeout + GRACE,
                    attempts=self._stage.retry.infrastructure + 1,
                )
            except ActivityError as error:
                if not host_lost(error):
                    raise
                self._workspaces.lost(workspace)
        raise StageFailed(f"{step.title}: {MOST_HOSTS} hosts were lost under it")

    def _step_input(self, index: int, step: Step, attempt: int, workspace: Workspace) -> StepInput:
        book, page = self._book, self._page
        names = [] if book.request.fork else [*self._stage.secrets, *step.secrets]
        secrets = book.commit.pipeline.secrets
        return StepInput(
            key=step_key(book.run_id, page.name, index, step, page.instance.cell),
            run_id=book.run_id,
            repo=book.request.repo,
            stage=page.name,
            index=index,
            step=step,
            workspace=workspace,
            env=step_environment(book, page),
            secrets={name: secrets[name] for name in secrets if name in names},
            attempt=attempt,
            execution=book.execution,
        )

    async def _seal(self, status: Status) -> None:
        """Collect reports, artifacts, caches and the layer on the host that ran the last step."""
        page, book = self._page, self._book
        last = self._stage.steps[max(page.results, default=0)]
        workspace = await self._workspaces.on(page, queue_of(last))
        seal = StageSeal(
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
        page.sealed = await call(SEAL_STAGE, seal, f"collect what {page.name} left", queue=workspace.queue)
        if page.sealed.layer:
            book.layers.append(page.sealed.layer)

    async def _gate(self) -> None:
        if self._stage.gate is None:
            return
        asked = GateInput(run_id=self._book.run_id, stage=self._page.name, policy=self._stage.gate)
        decision = await call(EVALUATE_GATE, asked, f"gate of {self._page.name}")
        evidence = {f"{number:02d}": line for number, line in enumerate(decision.evidence)}
        action = "gate.passed" if decision.passed else "gate.refused"
        self._book.teller.audit(action, "switchyard", "; ".join(decision.reasons), stage=self._page.name, **evidence)
        if not decision.passed:
            raise StageFailed(f"gate refused: {'; '.join(decision.reasons)}")

    async def _release(self) -> None:
        problem = await ReleaseStage(self._book, self._page, self._place()).run()
        if problem:
            raise StageFailed(problem)

    async def _checks(self) -> None:
        asked = CheckInput(place=self._place(), checks=self._stage.checks, run_id=self._book.run_id)
        outcome = await call(RUN_CHECKS, asked, f"checks of {self._page.name}")
        if not outcome.passed:
            raise StageFailed(f"checks failed: {'; '.join(outcome.lines)}")


def queue_of(step: Step) -> str:
    """The task queue of the service that the step belongs to; commands belong to build."""
    return BUILTINS[step.uses].queue if step.uses in BUILTINS else "build"


ASK_AGAIN = 300.0
"""Seconds after which a workflow that waits for its turn or its rollout asks again: signals get lost with whoever is ended."""


async def take_turn(book: RunBook, member: GroupMember) -> None:
    """Wait until it is the member's turn. Whoever took a turn leaves the group when the run ends."""
    book.turns.append(member)
    while True:
        await call(JOIN_GROUP, member, f"queue in {member.group}")
        try:
            await workflow.wait_condition(lambda: member.key in book.granted, timeout=ASK_AGAIN)
            return
        except TimeoutError:
            continue
