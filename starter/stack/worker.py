"""The worker: one process that serves all task queues."""

from __future__ import annotations

import asyncio
import importlib.util
import sys

from temporalio.client import Client
from temporalio.service import RPCError

from pipelines.errors import SwitchyardError, Unavailable
from pipelines.ports import QUEUES
from pipelines.settings import Settings
from starter.client import connect
from starter.queues import newest_poll
from starter.stack.part import Part
from starter.stack.processes import Record


def worker_file() -> str:
    """Path of worker.py. Raises Unavailable when the installation lacks it."""
    found = importlib.util.find_spec("worker")
    if not found or not found.origin:
        raise Unavailable("worker.py is not installed beside the packages", "Install Switchyard again: make setup")
    return found.origin


def _command(settings: Settings) -> list[str]:
    return [sys.executable, worker_file(), "--queues", ",".join(QUEUES)]


def _healthy(settings: Settings, record: Record) -> bool:
    return asyncio.run(_polls(settings, record.started))


async def _polls(settings: Settings, since: float) -> bool:
    """Every queue has been polled since the process was started."""
    try:
        client: Client = await connect(settings, patience=2)
        polls = [await newest_poll(client, queue) for queue in QUEUES]
    except (SwitchyardError, RPCError):
        return False
    return all(poll >= since for poll in polls)


WORKER = Part(
    name="worker",
    purpose="worker",
    command=_command,
    healthy=_healthy,
    patience=60.0,
    stop_patience=lambda settings: settings.worker.graceful_shutdown + 10,
)
