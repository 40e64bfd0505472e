"""Where the fakes play: workers for all task queues and for some hosts, with the real workflows."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.interceptor import Errors
from pipelines import ports
from pipelines.errors import HostLost
from pipelines.ports import QUEUES, Port
from tests.support.fakes.defaults import DEFAULTS
from tests.support.fakes.world import Call, World, Worlds
from worker import WORKFLOWS

HOSTS = ("a", "b", "c")
"""Hosts that answer; every other one does not."""

PORTS: list[Port[Any, Any]] = [port for port in vars(ports).values() if isinstance(port, Port)]


def fake(port: Port[Any, Any], worlds: Worlds) -> Callable[..., Any]:
    """The activity of a port: does in its world what is planned, and records it."""

    async def act(arg: Any) -> Any:
        world = worlds.of(arg)
        call = world.begin(port, arg)
        try:
            result = await _carry_out(world, call)
        except asyncio.CancelledError:
            details = activity.cancellation_details()
            if details and details.worker_shutdown:
                world.end(call, "handed over")
                raise HostLost("the worker lets go", "Nothing has to be done") from None
            world.end(call, "cancelled")
            raise
        except Exception as error:
            world.end(call, type(error).__name__)
            raise
        world.end(call, "done")
        return result

    act.__annotations__ = {"arg": port.takes, "return": port.gives}
    return activity.defn(name=port.name)(act)


async def _carry_out(world: World, call: Call) -> BaseModel:
    async def default() -> BaseModel:
        result = DEFAULTS[call.port.name](call)
        return await result if inspect.isawaitable(result) else result

    behaviour = world.behaviour(call)
    return await (behaviour(call, default) if behaviour else default())


@dataclass
class Stage:
    """What a test gets: worlds, and further hosts of its own that it can lose."""

    worlds: Worlds
    client: Client

    def new(self, token: str = "") -> World:
        return self.worlds.new(token)

    def host(self, name: str) -> Worker:
        """The worker of one more host: `async with` it, and leave to lose the host."""
        return _worker(self.client, f"host-{name}", [port for port in PORTS if port.queue is None], self.worlds)


@asynccontextmanager
async def serving(client: Client) -> AsyncIterator[Stage]:
    """All of the product's queues, with every activity faked."""
    worlds = Worlds(client)
    opens = ports.OPEN_STAGE
    async with AsyncExitStack() as stack:
        for queue in QUEUES:
            served = [port for port in PORTS if port.queue == queue or port == opens]
            await stack.enter_async_context(_worker(client, queue, served, worlds, WORKFLOWS.get(queue, [])))
        stage = Stage(worlds, client)
        for host in HOSTS:
            await stack.enter_async_context(stage.host(host))
        yield stage


def _worker(
    client: Client, queue: str, served: list[Port[Any, Any]], worlds: Worlds, workflows: list[type] | None = None
) -> Worker:
    restrictions = SandboxRestrictions.default.with_passthrough_modules(
        "pipelines", "pydantic", "pydantic_core", "annotated_types"
    )
    return Worker(
        client,
        task_queue=queue,
        activities=[fake(port, worlds) for port in served],
        workflows=workflows or [],
        interceptors=[Errors()],
        build_id="tests",
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        graceful_shutdown_timeout=timedelta(seconds=0.05),
        max_heartbeat_throttle_interval=timedelta(seconds=0.05),
        default_heartbeat_throttle_interval=timedelta(seconds=0.05),
    )
