"""What a workflow tells the outside: audit records, run and deployment records, notifications, events.

Nothing of it holds the work up: records are written beside it, in order, and waited for before the workflow ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

from pipelines.messages.common import Audit
from pipelines.messages.notify import Delivery, Event, Notification
from pipelines.ports import AUDIT, Port
from workflows.calls import call


class Teller:
    """One per workflow execution. `subject` is what its audit records are about."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._count = 0
        self._last: asyncio.Task[None] | None = None

    def audit(self, action: str, actor: str, reason: str = "", **evidence: str) -> None:
        """One decision with who, why and evidence. The key makes a replayed or retried write one record."""
        self._count += 1
        key = f"{workflow.info().workflow_id}:{workflow.info().run_id}:{self._count}"
        entry = Audit(key=key, subject=self._subject, action=action, actor=actor, reason=reason, evidence=evidence)
        self.record(AUDIT, entry, f"audit {action}")

    def record(self, port: Port[Any, Any], arg: BaseModel, summary: str) -> None:
        self._then(lambda: self._write(port, arg, summary))

    def notify(self, notification: Notification) -> None:
        key = _delivery_id(notification.key)
        self._then(lambda: self._deliver(key, Delivery(notification=notification), notification.title))

    def publish(self, event: Event) -> None:
        key = _delivery_id(event.id)
        self._then(lambda: self._deliver(key, Delivery(event=event), event.type))

    def _then(self, telling: Callable[[], Awaitable[None]]) -> None:
        """Behind everything told before, so that records keep the order of what happened."""
        self._last = asyncio.create_task(self._after(self._last, telling))

    async def _after(self, before: asyncio.Task[None] | None, telling: Callable[[], Awaitable[None]]) -> None:
        if before is not None:
            await before
        await telling()

    async def _write(self, port: Port[Any, Any], arg: BaseModel, summary: str) -> None:
        try:
            await call(port, arg, summary)
        except ActivityError as error:
            workflow.logger.error("record not written: %s", error.cause or error)

    async def _deliver(self, key: str, delivery: Delivery, summary: str) -> None:
        try:
            await workflow.start_child_workflow(
                "DeliveryWorkflow",
                delivery,
                id=key,
                task_queue="notify",
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=summary[:200],
            )
        except WorkflowAlreadyStartedError:
            return  # told before

    async def drain(self) -> None:
        """Wait until all that was told is written."""
        while self._last is not None:
            last = self._last
            await asyncio.shield(last)
            if self._last is last:
                self._last = None


def _delivery_id(key: str) -> str:
    """The key, so that it leaves once. A reset replays under another run id, which no command may hold: in its place is a uuid,
    which is the same in every replay and another one behind the reset."""
    return f"delivery/{key}".replace(workflow.info().run_id, str(workflow.uuid4()))
