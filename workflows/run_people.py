"""What people ask of a run: approve, retry, skip, abort. Each is checked first, answered in words, and audited."""

from __future__ import annotations

from pipelines.approvals import missing, objection
from pipelines.messages.common import Status
from pipelines.messages.runs import Abort, Answer, Approve, Retry, Skip
from pipelines.spec import ApprovalSpec
from workflows.calls import refuse
from workflows.run_book import Page, RunBook

_ENDED_BADLY = (Status.failed, Status.cancelled)


class RunPeople:
    """Base of PipelineWorkflow."""

    def __init__(self, book: RunBook) -> None:
        self.book = book
        self.aborted: Abort | None = None
        self.mended = False

    def may_approve(self, asked: Approve) -> None:
        page, spec = self._asking(asked.stage)
        problem = objection(spec, self._author(), page.approvals, asked.actor)
        if problem:
            raise refuse(problem, "Denied")

    def on_approve(self, asked: Approve) -> Answer:
        page, spec = self._asking(asked.stage)
        if not asked.approved:
            page.rejected = f"rejected by {asked.actor}: {asked.reason or 'no reason given'}"
            self.book.teller.audit("approval.rejected", asked.actor, asked.reason, stage=page.name)
            return Answer(message=f"{page.name} is rejected")
        page.approvals.append(asked.actor)
        left = missing(spec, page.approvals)
        self.book.teller.audit("approval.given", asked.actor, asked.reason, stage=page.name, missing=str(left))
        self.book.show()
        return Answer(message=f"{page.name}: approved by {asked.actor}" + (f", {left} more needed" if left else ", going on"))

    def _asking(self, name: str) -> tuple[Page, ApprovalSpec]:
        """The stage that waits for approval. Refused when none does, or several do and none is named."""
        asking = [page for page in self.book.pages.values() if page.asking]
        named = [page for page in asking if page.name == name] if name else asking
        if not named:
            waiting = ", ".join(page.name for page in asking) or "none"
            raise refuse(
                f"stage '{name}' does not wait for approval; waiting: {waiting}" if name else "no stage waits for approval"
            )
        if len(named) > 1:
            raise refuse(f"several stages wait for approval, name one: {', '.join(page.name for page in named)}")
        page = named[0]
        if page.instance.stage.approval is None:
            raise refuse(f"stage '{page.name}' needs no approval")
        return page, page.instance.stage.approval

    def _author(self) -> str:
        return self.book.resolved.author if self.book.resolved else self.book.request.actor

    def may_retry(self, asked: Retry) -> None:
        self._must_be_held()
        page = self._bad_page(asked.stage) if asked.stage else None
        steps = len(page.instance.stage.steps) if page else 0
        if asked.step is not None and not 0 <= asked.step < steps:
            raise refuse(f"stage '{asked.stage}' has no step {asked.step}; name a stage and a step from 0 to {steps - 1}")

    def on_retry(self, asked: Retry) -> Answer:
        pages = [self._bad_page(asked.stage)] if asked.stage else self._bad_pages()
        for page in pages:
            page.again()
            if asked.step is not None:
                page.redo(asked.step)
        self._stopped_again()
        names = ", ".join(page.name for page in pages)
        self.book.teller.audit("run.retried", asked.actor, asked.reason, stages=names, step=str(asked.step))
        self.mended = True
        return Answer(message=f"running again: {names}; what has passed is not repeated")

    def _stopped_again(self) -> None:
        """What had only been stopped because something else failed goes on with it."""
        for page in self._bad_pages():
            if page.status == Status.cancelled:
                page.again()

    def may_skip(self, asked: Skip) -> None:
        self._must_be_held()
        self._bad_page(asked.stage)

    def on_skip(self, asked: Skip) -> Answer:
        page = self._bad_page(asked.stage)
        page.status, page.reason = Status.skipped, f"skipped by {asked.actor}: {asked.reason or 'no reason given'}"
        self._stopped_again()
        self.book.teller.audit("stage.skipped", asked.actor, asked.reason, stage=page.name)
        self.mended = True
        return Answer(message=f"{page.name} counts as skipped; the run goes on behind it")

    def may_abort(self) -> None:
        if self.aborted:
            raise refuse("the run is being aborted already")
        if self.book.finished_at is not None:
            raise refuse(f"the run has ended: {self.book.status}")

    def on_abort(self, asked: Abort) -> Answer:
        self.stop(asked)
        return Answer(message="aborting: running steps are stopped, rollouts go back to their stable release")

    def stop(self, asked: Abort) -> None:
        """Update, cancellation from Temporal's UI and a newer run of the group all end here."""
        if self.aborted is None and self.book.finished_at is None:
            self.aborted = self.book.stopped = asked
            self.book.teller.audit("run.aborted", asked.actor, asked.reason)

    def _must_be_held(self) -> None:
        if self.book.status != Status.held:
            raise refuse(f"the run is {self.book.status}, not held; only a failed run that is held open takes this")

    def _bad_pages(self) -> list[Page]:
        return [page for page in self.book.pages.values() if page.status in _ENDED_BADLY]

    def _bad_page(self, name: str) -> Page:
        for page in self._bad_pages():
            if page.name == name:
                return page
        failed = ", ".join(page.name for page in self._bad_pages()) or "none"
        raise refuse(f"stage '{name}' has not failed; failed or stopped: {failed}")
