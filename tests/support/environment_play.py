"""One environment of one service, asked for rollouts and rollbacks as runs and people do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from activities.requests import Requests
from pipelines.messages.deploy import Place, Release, RollbackRequest, RolloutRequest, RolloutResult, Ticket, Withdrawal
from pipelines.messages.notify import DeploymentRecord
from pipelines.messages.runs import Approve, EnvironmentView, environment_workflow_id
from starter.runs.environments import rollback
from tests.support.fakes import World
from tests.support.rollout_play import canary, release, spec


class NoDeployments:
    """Requests of rollouts and groups need none."""

    def of(self, environment: str, service: str) -> list[DeploymentRecord]:
        return []


class Town:
    """`ask` by a release's name: equal names are one release. A request's id is 'name-number' of asking."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.place = Place(environment="production", service=world.service)
        self._requests = Requests(world.client, NoDeployments())
        self._asked = 0

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.world.client.get_workflow_handle(environment_workflow_id(self.place.environment, self.place.service))

    def release(self, name: str) -> Release:
        return release(self.place, name)

    def request(self, name: str, strategy: Any = None, **more: Any) -> RolloutRequest:
        self._asked += 1
        base = {"request_id": f"{name}-{self._asked}-{self.world.token}", "release": self.release(name)}
        return RolloutRequest(**{**base, "spec": strategy or spec("rolling"), **more})

    async def ask(self, request: RolloutRequest) -> Ticket:
        return await self._requests.request_rollout(request)

    async def asks(self, name: str, strategy: Any = None, **more: Any) -> Ticket:
        return await self.ask(self.request(name, strategy, **more))

    async def paused(self, name: str, **more: Any) -> Ticket:
        """A canary of `name`, as soon as it waits for an approval."""
        ticket = await self.asks(name, canary(), **more)
        await self.asking(ticket)
        return ticket

    async def released(self, *names: str) -> None:
        """One after another, until all are done."""
        for name in names:
            assert (await self.result(await self.asks(name))).status in ("promoted", "unchanged")
            await self.until(lambda view, name=name: view.stable == self.release(name) and not view.active)  # type: ignore[misc]

    async def result(self, ticket: Ticket) -> RolloutResult:
        handle = self.world.client.get_workflow_handle(ticket.workflow_id, result_type=RolloutResult)
        deadline = time.monotonic() + 20
        while not await self._exists(handle):
            assert time.monotonic() < deadline, f"{ticket.workflow_id} never started"
            await asyncio.sleep(0.04)
        return await asyncio.wait_for(handle.result(), 20)

    async def _exists(self, handle: WorkflowHandle[Any, Any]) -> bool:
        try:
            await handle.describe()
        except RPCError:
            return False
        return True

    async def rollback(self, **asked: Any) -> Ticket:
        return await rollback(self.world.client, RollbackRequest(place=self.place, **({"actor": "ann"} | asked)))

    async def withdraw(self, request: RolloutRequest, reason: str = "the run was stopped") -> None:
        await self.handle.signal("withdraw", Withdrawal(request_id=request.request_id, actor="ann", reason=reason))

    async def approve(self, ticket: Ticket) -> None:
        await self.world.client.get_workflow_handle(ticket.workflow_id).execute_update("approve", Approve(actor="ann"))

    async def view(self) -> EnvironmentView:
        view: EnvironmentView = await self.handle.query("view", result_type=EnvironmentView)
        return view

    async def until(self, condition: Callable[[EnvironmentView], object], seconds: float = 20.0) -> EnvironmentView:
        deadline = time.monotonic() + seconds
        while not condition(view := await self.view()):
            assert time.monotonic() < deadline, view.model_dump_json(indent=1)
            await asyncio.sleep(0.04)
        return view

    async def idle(self) -> EnvironmentView:
        return await self.until(lambda view: not view.active and not view.queued)

    async def asking(self, ticket: Ticket) -> None:
        """The rollout waits for an approval."""
        handle = self.world.client.get_workflow_handle(ticket.workflow_id)
        await self.world.until(lambda: any(call.workflow == ticket.workflow_id for call in self.world.calls))
        deadline = time.monotonic() + 20
        while (await handle.query("view"))["waiting_for"] != "approval":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.04)

    def weights(self) -> dict[str, int]:
        return self.world.cluster.weights(self.place.key)

    def runs(self, name: str) -> bool:
        """That release has all the traffic, and nothing else is left of any other."""
        wanted = self.release(name).id
        return self.weights() == {wanted: 100} and set(self.world.cluster.replicas) == {wanted} and not self.world.cluster.wrongs
