"""A real worker for RUN_STEP, in this process or in one of its own: python -m tests.support.step_worker ADDRESS QUEUE ROOT."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.interceptor import Errors
from pipelines.messages.build import StepInput, StepResult
from pipelines.ports import RUN_STEP
from tests.support.steps import Host


@workflow.defn(sandboxed=False)
class OneStep:
    """Runs one step as the pipeline does, with a shorter heartbeat timeout so that a lost worker is noticed sooner."""

    @workflow.run
    async def run(self, step: StepInput) -> StepResult:
        return await workflow.execute_activity(
            RUN_STEP.name,
            step,
            result_type=StepResult,
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=timedelta(seconds=2),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=5),
        )


def step_worker(client: Client, queue: str, host: Host) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=[OneStep],
        activities=[host.steps.run_step],
        interceptors=[Errors()],
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=0.2),
    )


async def main(address: str, queue: str, root: str) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    await step_worker(client, queue, Host(Path(root))).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
