"""Scenarios of GroupWorkflow and RetentionWorkflow."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowHandle

from pipelines.messages.group import GroupMember, GroupState, group_workflow_id
from pipelines.messages.quality import RetentionInput
from tests.replay.scenarios.registry import scenario
from tests.support.fakes import World

Handle = WorkflowHandle[Any, Any]


async def _group(world: World, policy: str) -> Handle:
    """The group itself is its first member, so that there is one that lives."""
    name = group_workflow_id(world.token)
    first = GroupMember(group=world.token, workflow_id=f"host-{world.token}")
    await world.client.start_workflow(
        "GroupWorkflow", GroupState(group=f"host-{world.token}"), id=first.workflow_id, task_queue="build"
    )
    handle = await world.client.start_workflow("GroupWorkflow", GroupState(group=world.token), id=name, task_queue="build")
    second = GroupMember.model_validate({"group": world.token, "workflow_id": f"gone-{world.token}", "policy": policy})
    for signal, member in (("join", first), ("join", second), ("join", first), ("leave", first)):
        await handle.signal(signal, member)
    await handle.result()
    return handle


@scenario
async def group_of_two_one_gone(world: World) -> Handle:
    return await _group(world, "queue")


@scenario
async def group_cancelled_by_a_newer_one(world: World) -> Handle:
    return await _group(world, "cancel-in-progress")


@scenario
async def retention_swept(world: World) -> Handle:
    handle = await world.client.start_workflow(
        "RetentionWorkflow", RetentionInput(), id=f"retention-{world.token}", task_queue="artifacts"
    )
    await handle.result()
    return handle
