"""Scenarios of EnvironmentWorkflow. Environments do not end: their histories so far are golden."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowHandle

from tests.replay.scenarios.registry import scenario
from tests.support.environment_play import Town
from tests.support.fakes import World
from tests.support.rollout_play import canary

Handle = WorkflowHandle[Any, Any]


async def _idle(town: Town) -> Handle:
    await town.idle()
    return town.handle


@scenario
async def environment_releases(world: World) -> Handle:
    """Two after one another, and one that is there already."""
    town = Town(world)
    await town.released("one", "two")
    await town.asks("two")
    await world.until(lambda: len(town.weights()) == 1)
    return await _idle(town)


@scenario
async def environment_queues(world: World) -> Handle:
    town = Town(world)
    await town.released("one")
    first = await town.paused("two")
    second = await town.asks("three")
    await town.approve(first)
    await town.result(second)
    return await _idle(town)


@scenario
async def environment_supersedes(world: World) -> Handle:
    town = Town(world)
    await town.released("one")
    await town.paused("two")
    await town.asks("three")
    newest = await town.asks("four", policy="supersede")
    await town.result(newest)
    return await _idle(town)


@scenario
async def environment_withdrawals(world: World) -> Handle:
    """Of what waits, and of what is under way."""
    town = Town(world)
    await town.released("one")
    active, waiting = town.request("two", canary()), town.request("three")
    ticket = await town.ask(active)
    await town.asking(ticket)
    await town.ask(waiting)
    await town.withdraw(waiting)
    await town.withdraw(active)
    await town.result(ticket)
    return await _idle(town)


@scenario
async def environment_rolled_back(world: World) -> Handle:
    town = Town(world)
    await town.released("one", "two")
    await town.result(await town.rollback(reason="slow"))
    return await _idle(town)


@scenario
async def environment_rolled_back_while_rolling_out(world: World) -> Handle:
    town = Town(world)
    await town.released("one")
    ticket = await town.paused("two")
    await town.rollback()
    await town.result(ticket)
    return await _idle(town)


@scenario
async def environment_whose_rollout_was_terminated(world: World) -> Handle:
    town = Town(world)
    await town.released("one")
    ticket = await town.paused("two")
    await world.client.get_workflow_handle(ticket.workflow_id).terminate("by hand")
    return await _idle(town)


@scenario
async def environment_started_anew(world: World) -> Handle:
    town = Town(world)
    await town.released("one")
    await town.handle.terminate("by hand")
    await town.released("two")
    return await _idle(town)
