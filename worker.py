"""The composition root: settings, clients, activities, one Temporal worker per task queue.

`python worker.py --queues build,deploy` serves any subset of the seven services' task queues in one process, and the queue of
this host's own workspaces beside them. On SIGTERM activities in flight get their time; what is not done by then is handed over.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from temporalio.service import RPCError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.interceptor import Errors
from activities.records import Records
from activities.records.migrate import upgrade
from activities.wiring import Wired, wire
from pipelines.errors import SwitchyardError
from pipelines.messages.quality import RetentionInput
from pipelines.ports import QUEUES
from pipelines.settings import Settings
from starter.client import connect, register_search_attributes
from workflows.delivery import DeliveryWorkflow
from workflows.environment import EnvironmentWorkflow
from workflows.group import GroupWorkflow
from workflows.pipeline import PipelineWorkflow
from workflows.retention import RetentionWorkflow
from workflows.rollout import RolloutWorkflow

WORKFLOWS: dict[str, list[type]] = {
    "build": [PipelineWorkflow, GroupWorkflow],
    "deploy": [EnvironmentWorkflow, RolloutWorkflow],
    "artifacts": [RetentionWorkflow],
    "notify": [DeliveryWorkflow],
}
STICKY = timedelta(seconds=1)
"""How long a workflow's task waits for the worker that has it in memory. After a kill this is what resuming costs."""

KEEP_EVERY = 2.0
"""Seconds between looks at the released services of this host."""

_LOG = logging.getLogger("switchyard.worker")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0 after SIGTERM or SIGINT, 2 for a wrong setting, 3 when Temporal or the database does not answer."""
    parser = argparse.ArgumentParser(prog="worker.py", description=__doc__)
    parser.add_argument("--queues", default=",".join(QUEUES), help="task queues, with commas; default: all")
    queues = [queue.strip() for queue in parser.parse_args(argv).queues.split(",") if queue.strip()]
    unknown = [queue for queue in queues if queue not in QUEUES]
    if unknown or not queues:
        parser.error(f"unknown queue {', '.join(unknown) or '(none)'}; there are {', '.join(QUEUES)}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # One line for every look at the proxy would bury all others.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(Settings(), queues))
    except SwitchyardError as error:
        print(f"worker: {error}", file=sys.stderr)  # noqa: T201
        return 3 if error.retryable else 2
    return 0


async def serve(settings: Settings, queues: Sequence[str]) -> None:
    """Serve until a signal comes. Raises SwitchyardError when it cannot start."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(upgrade, settings.database)
    client = await connect(settings)
    await _prepare(client, queues)
    wired = wire(settings, client, Records(settings.database))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with ThreadPoolExecutor(settings.worker.max_activities, "activity") as pool:
        keeping = asyncio.create_task(_keep(wired.keep if "deploy" in queues else []))
        await _run(build(client, settings, wired, queues, pool), stop)
        keeping.cancel()
    for close in wired.close:
        close()


async def _keep(things: Sequence[Callable[[], object]]) -> None:
    """Releases whose supervisor is gone, as after a reboot, are found and started again, with or without a rollout."""
    while True:
        for keep in things:
            try:
                if found := await asyncio.to_thread(keep):
                    _LOG.warning("started again: %s", found)
            except (SwitchyardError, OSError) as error:
                _LOG.warning("releases could not be looked after: %s", error)
        await asyncio.sleep(KEEP_EVERY)


async def _prepare(client: Client, queues: Sequence[str]) -> None:
    """What the namespace must have. A hosted cluster may refuse; the doctor says what is missing then."""
    try:
        await register_search_attributes(client)
    except SwitchyardError as error:
        _LOG.warning("search attributes: %s", error)
    if "artifacts" in queues:
        await _schedule_retention(client)


async def _schedule_retention(client: Client) -> None:
    action = ScheduleActionStartWorkflow("RetentionWorkflow", RetentionInput(), id="retention", task_queue="artifacts")
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=6))])
    try:
        await client.create_schedule("retention", Schedule(action=action, spec=spec))
    except ScheduleAlreadyRunningError:
        _LOG.debug("the retention schedule is there")
    except RPCError as error:
        _LOG.warning("the retention schedule could not be made: %s", error.message)


def build(client: Client, settings: Settings, wired: Wired, queues: Sequence[str], pool: ThreadPoolExecutor) -> list[Worker]:
    """One worker per task queue, and one for the queue of this host."""
    wanted = {queue: (wired.by_queue[queue], WORKFLOWS.get(queue, [])) for queue in queues}
    wanted[f"host-{wired.host_id}"] = (wired.on_host, [])
    return [
        Worker(
            client,
            task_queue=queue,
            activities=activities,
            workflows=workflows,
            activity_executor=pool,
            interceptors=[Errors()],
            **_tuning(settings),
        )
        for queue, (activities, workflows) in wanted.items()
    ]


def _tuning(settings: Settings) -> dict[str, Any]:
    restrictions = SandboxRestrictions.default.with_passthrough_modules(
        "pipelines", "pydantic", "pydantic_core", "annotated_types"
    )
    return {
        "workflow_runner": SandboxedWorkflowRunner(restrictions=restrictions),
        "max_concurrent_activities": settings.worker.max_activities,
        "max_concurrent_workflow_tasks": settings.worker.max_workflow_tasks,
        "graceful_shutdown_timeout": timedelta(seconds=settings.worker.graceful_shutdown),
        "max_heartbeat_throttle_interval": timedelta(seconds=settings.worker.heartbeat_throttle),
        "default_heartbeat_throttle_interval": timedelta(seconds=settings.worker.heartbeat_throttle),
        "sticky_queue_schedule_to_start_timeout": STICKY,
    }


async def _run(workers: list[Worker], stop: asyncio.Event) -> None:
    """All workers until `stop`, or until one of them fails, which ends the process with its error."""
    running = [asyncio.create_task(worker.run()) for worker in workers]
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([*running, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    await asyncio.gather(*(worker.shutdown() for worker in workers))
    await asyncio.gather(*running)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Temporal's runtime threads may abort an interpreter that ends in the ordinary way.
    os._exit(status)
