"""Workflows as somebody might change them without a patch."""

from __future__ import annotations

from temporalio import workflow

from pipelines.messages.common import Nothing, RunRequest
from pipelines.messages.notify import Delivery
from pipelines.messages.runs import RunResult
from workflows.delivery import DeliveryWorkflow
from workflows.pipeline import PipelineWorkflow


@workflow.defn(name="DeliveryWorkflow")
class ChangedDelivery(DeliveryWorkflow):
    """Waits a little first."""

    @workflow.run
    async def run(self, delivery: Delivery) -> Nothing:
        await workflow.sleep(1)
        return await super().run(delivery)


@workflow.defn(name="PipelineWorkflow")
class ChangedPipeline(PipelineWorkflow):
    """Tells no more that it started."""

    @workflow.init
    def __init__(self, request: RunRequest) -> None:
        super().__init__(request)

    @workflow.run
    async def run(self, request: RunRequest) -> RunResult:
        return await super().run(request)

    def _announce(self, action: str) -> None:
        if action != "run.started":
            super()._announce(action)
