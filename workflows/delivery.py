"""Delivery: one notification or event, retried until its receiver has it, however long that takes.

A workflow of its own, abandoned by its parent, so that an outage of a receiver neither blocks nor loses anything.
"""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pipelines.messages.common import Nothing
    from pipelines.messages.notify import Delivery
    from pipelines.ports import NOTIFY, PUBLISH
    from workflows.calls import call


@workflow.defn(name="DeliveryWorkflow")
class DeliveryWorkflow:
    """Started by `workflows.tell`; its id is the thing's own key, so that it leaves once."""

    @workflow.run
    async def run(self, delivery: Delivery) -> Nothing:
        if delivery.notification:
            await call(NOTIFY, delivery.notification, f"tell {delivery.notification.channel}: {delivery.notification.title}")
        if delivery.event:
            await call(PUBLISH, delivery.event, f"publish {delivery.event.type}")
        return Nothing()
