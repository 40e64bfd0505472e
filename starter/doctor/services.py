"""Servers: Temporal, its search attributes, workers on every queue, and the records."""

from __future__ import annotations

import time

from temporalio.client import Client
from temporalio.service import RPCError

from pipelines.errors import NotFound, SwitchyardError
from pipelines.ports import QUEUES
from pipelines.settings import Settings
from starter.client import connect, connect_config, missing_search_attributes
from starter.doctor.check import Check
from starter.queues import newest_poll
from starter.records import LateRecords

RECENT = 90.0
"""Seconds; a worker asks for tasks at least once a minute."""


async def check_services(settings: Settings) -> list[Check]:
    try:
        client = await connect(settings, patience=3)
    except SwitchyardError as error:
        return [Check(name="temporal server", state="bad", found=error.message, remedy=error.remedy), _records(settings)]
    address = connect_config(settings)["target_host"]
    reached = Check(name="temporal server", state="ok", found=f"{address}, namespace '{client.namespace}'")
    return [reached, await _attributes(client), *[await _queue(client, queue) for queue in QUEUES], _records(settings)]


async def _attributes(client: Client) -> Check:
    try:
        missing = await missing_search_attributes(client)
    except RPCError as error:
        return Check(name="search attributes", state="warn", found=f"cannot be listed: {error.message}")
    if not missing:
        return Check(name="search attributes", state="ok", found="registered")
    flags = " ".join(f"--name {name} --type Keyword" for name in missing)
    remedy = f"temporal operator search-attribute create {flags}"
    return Check(name="search attributes", state="bad", found=f"not registered: {', '.join(missing)}", remedy=remedy)


async def _queue(client: Client, queue: str) -> Check:
    try:
        last = await newest_poll(client, queue)
    except RPCError as error:
        return Check(name=f"queue {queue}", state="bad", found=error.message)
    if time.time() - last < RECENT:
        return Check(name=f"queue {queue}", state="ok", found="a worker serves it")
    return Check(name=f"queue {queue}", state="bad", found="no worker serves it", remedy="switchyard up --only worker")


def _records(settings: Settings) -> Check:
    kind = "from SWITCHYARD_DATABASE_URL" if settings.database_url else str(settings.layout.database)
    try:
        head = LateRecords(settings).records.audit.head()
    except NotFound as error:
        return Check(name="records", state="warn", found=error.message, remedy="switchyard up")
    except SwitchyardError as error:
        return Check(name="records", state="bad", found=error.message, remedy=error.remedy)
    return Check(name="records", state="ok", found=f"{kind}, {head.count} audit records")
