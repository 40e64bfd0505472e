"""Scenarios of EnvironmentWorkflow that was ended by hand, or asked too late."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowHandle

from pipelines.messages.deploy import Ticket
from pipelines.ports import RETIRE_RELEASE
from tests.replay.scenarios.registry import scenario
from tests.support.environment_play import Town
from tests.support.fakes import Gate, World, waits

Handle = WorkflowHandle[Any, Any]


async def _ended_in_the_middle(town: Town) -> Ticket:
    """Of a rollout that the records know; they say nothing of its end."""
    await town.released("one")
    ticket = await town.paused("two")
    await town.world.until(lambda: town.world.deployments[0].release_id.startswith("two"))
    await town.handle.terminate("by hand")
    return ticket


@scenario
async def environment_started_anew_in_the_middle(world: World) -> Handle:
    town = Town(world)
    await _ended_in_the_middle(town)
    await town.result(await town.asks("three"))
    await town.idle()
    assert town.runs("three")
    return town.handle


@scenario
async def environment_started_anew_when_all_was_ended(world: World) -> Handle:
    town = Town(world)
    ticket = await _ended_in_the_middle(town)
    await world.client.get_workflow_handle(ticket.workflow_id).terminate("by hand")
    await town.result(await town.asks("three"))
    await town.idle()
    assert town.weights() == {town.release("three").id: 100}
    return town.handle


@scenario
async def environment_rolled_back_too_late_to_turn_back(world: World) -> Handle:
    town = Town(world)
    await town.released("one")
    gate = Gate()
    world.plan(RETIRE_RELEASE, f"one-{world.service}", waits(gate))
    await town.asks("two")
    await world.until(lambda: gate.waiting == 1)
    await town.rollback()
    gate.open()
    await world.until(lambda: town.runs("one"))
    await town.idle()
    return town.handle
