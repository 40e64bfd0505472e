"""How one stage is run: approval, environment, steps, gate, release, checks; each part is optional."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from pipelines.approvals import missing
from pipelines.conditions import stage_group
from pipelines.messages.common import Status
from pipelines.messages.deploy import CheckInput, Place, PrepareInput
from pipelines.messages.group import GroupMember
from pipelines.messages.notify import Notification
from pipelines.messages.quality import GateInput
from pipelines.ports import EVALUATE_GATE, JOIN_GROUP, PREPARE, RUN_CHECKS
from pipelines.spec import ApprovalSpec
from workflows.calls import call, why
from workflows.run_book import Page, RunBook
from workflows.stage_release import ReleaseStage
from workflows.stage_steps import StepRunner
from workflows.workspaces import Workspaces


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
            self._end()
            raise
        self._end()

    def _end(self) -> None:
        self._page.waiting_for, self._page.finished_at = "", workflow.time()
        self._book.show()

    async def _parts(self) -> None:
        if self._stage.approval:
            await self._approval()
        if self._stage.concurrency:
            await self._turn(stage_group(self._page.instance, self._book.request))
        if self._stage.environment:
            await self._prepare()
        if self._stage.steps:
            await self._steps()
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
            self._nobody_came(spec)
        finally:
            page.asking, page.waiting_for = False, ""
        if page.rejected:
            raise StageFailed(page.rejected)
        page.status = Status.running

    def _nobody_came(self, spec: ApprovalSpec) -> None:
        """The approval's time is over: the spec says whether that is a yes; the default is no."""
        waited = f"nobody approved within {spec.timeout:g} s"
        if spec.on_timeout == "reject":
            self._book.teller.audit("approval.rejected", "switchyard", waited, stage=self._page.name)
            raise StageFailed(waited)
        reason = f"{waited}, and the pipeline says to go on then"
        self._book.teller.audit("approval.given", "switchyard", reason, stage=self._page.name)

    def _tell_waiting(self) -> None:
        book, page = self._book, self._page
        book.show()
        page.asked += 1
        command = f"switchyard approve '{book.run_id}' --stage {page.name}"
        note = Notification(
            key=f"{book.run_id}/{book.execution}/{page.name}/approval-{page.asked}",
            level="warning",
            title=f"{book.request.repo}: {page.name} waits for approval",
            text=f"{page.waiting_for}. Decide with: {command}",
        )
        book.teller.notify(note)

    async def _turn(self, group: str) -> None:
        page = self._page
        page.turns += 1
        page.turn = member = GroupMember(group=group, workflow_id=self._book.run_id, token=f"{page.name}#{page.turns}")
        page.waiting_for = f"its turn in {group}"
        self._book.show()
        await take_turn(self._book, member)
        page.waiting_for = ""

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

    async def _steps(self) -> None:
        problem = await StepRunner(self._book, self._page, self._workspaces).run()
        if problem:
            raise StageFailed(problem)

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
