"""Concurrency groups: one at a time in the order they came, and nobody waits for the dead."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle

from activities.requests import Requests
from pipelines.messages.deploy import Place
from pipelines.messages.group import GroupMember, GroupState, group_workflow_id
from pipelines.messages.rollout import EnvironmentState
from pipelines.ports import MEMBER_ALIVE
from tests.support.environment_play import NoDeployments
from tests.support.fakes import World

pytestmark = pytest.mark.server


class Group:
    """Its members are workflows that stay until they are ended."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = f"g-{world.token}"
        self._requests = Requests(world.client, NoDeployments())

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.world.client.get_workflow_handle(group_workflow_id(self.name))

    async def member(self, name: str, **more: Any) -> GroupMember:
        """A workflow that knows no signal of a group, and keeps what comes."""
        member = GroupMember(group=self.name, workflow_id=f"{name}-{self.world.token}", **more)
        place = Place(environment=name, service=self.world.service)
        await self.world.client.start_workflow(
            "EnvironmentWorkflow", EnvironmentState(place=place), id=member.workflow_id, task_queue="deploy"
        )
        return member

    async def join(self, *members: GroupMember) -> None:
        for member in members:
            await self._requests.join_group(member)

    async def leave(self, member: GroupMember) -> None:
        await self.handle.signal("leave", member)

    async def turns(self, member: GroupMember) -> int:
        """How often it was told that it is its turn."""
        events = self.world.client.get_workflow_handle(member.workflow_id).fetch_history_events()
        names = [event.workflow_execution_signaled_event_attributes.signal_name async for event in events]
        return names.count("group_turn")

    async def until_turn(self, member: GroupMember, count: int = 1, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while await self.turns(member) < count:
            assert time.monotonic() < deadline, f"{member.workflow_id} never had its turn"
            await asyncio.sleep(0.02)

    async def status(self, member: GroupMember) -> WorkflowExecutionStatus | None:
        return (await self.world.client.get_workflow_handle(member.workflow_id).describe()).status

    async def members(self) -> list[GroupMember]:
        view: GroupState = await self.handle.query("view", result_type=GroupState)
        return view.members


async def test_one_after_another_in_the_order_they_came(world: World) -> None:
    group = Group(world)
    members = [await group.member(name) for name in ("a", "b", "c")]
    await group.join(*members)
    for number, member in enumerate(members):
        await group.until_turn(member)
        assert [await group.turns(later) for later in members[number + 1 :]] == [0] * (2 - number)
        await group.leave(member)
    assert await asyncio.wait_for(group.handle.result(), 20) is None


async def test_joining_twice_keeps_the_place_and_tells_the_turn_again(world: World) -> None:
    group = Group(world)
    first, second = await group.member("a"), await group.member("b")
    await group.join(first, second, second, first)
    await group.until_turn(first, 2)
    assert [each.workflow_id for each in await group.members()] == [first.workflow_id, second.workflow_id]
    await group.leave(first)
    await group.until_turn(second)
    await group.leave(second)


async def test_who_is_gone_before_its_turn_is_passed_over(world: World) -> None:
    group = Group(world)
    first, gone, last = await group.member("a"), await group.member("b"), await group.member("c")
    await group.join(first, gone, last)
    await group.until_turn(first)
    await world.client.get_workflow_handle(gone.workflow_id).terminate("by hand")
    await group.leave(first)
    await group.until_turn(last)
    await group.leave(last)


async def test_who_leaves_while_it_waits_never_has_a_turn(world: World) -> None:
    group = Group(world)
    first, second, third = await group.member("a"), await group.member("b"), await group.member("c")
    await group.join(first, second, third)
    await group.until_turn(first)
    await group.leave(second)
    await group.leave(first)
    await group.until_turn(third)
    assert await group.turns(second) == 0
    await group.leave(third)


async def test_who_dies_in_its_turn_is_found_out_by_whoever_joins_later(world: World) -> None:
    group = Group(world)
    dead, waiting = await group.member("a"), await group.member("b")
    await group.join(dead)
    await group.until_turn(dead)
    await world.client.get_workflow_handle(dead.workflow_id).terminate("by hand")
    await group.join(waiting)
    await group.until_turn(waiting)
    assert world.count(MEMBER_ALIVE) >= 1
    await group.leave(waiting)


async def test_who_lives_keeps_its_turn(world: World) -> None:
    group = Group(world)
    first, second = await group.member("a"), await group.member("b")
    await group.join(first, second)
    await world.until(lambda: world.count(MEMBER_ALIVE) >= 1)
    assert await group.turns(second) == 0
    await group.leave(first)
    await group.until_turn(second)
    await group.leave(second)


async def _ended(world: World, member: GroupMember) -> None:
    with contextlib.suppress(WorkflowFailureError):
        await world.client.get_workflow_handle(member.workflow_id).result()


async def test_a_newer_one_cancels_those_before_but_not_itself(world: World) -> None:
    group = Group(world)
    old = await group.member("a")
    newer = await group.member("b", policy="cancel-in-progress")
    stage = newer.model_copy(update={"token": "deploy"})
    await group.join(old, newer, stage)
    await asyncio.wait([asyncio.ensure_future(_ended(world, old))], timeout=20)
    assert await group.status(old) == WorkflowExecutionStatus.CANCELED
    await group.leave(old)
    await group.until_turn(newer)
    assert await group.status(newer) == WorkflowExecutionStatus.RUNNING
    await group.leave(newer)
    await group.until_turn(newer, 2)
    await group.leave(stage)
    await asyncio.wait_for(group.handle.result(), 20)
