"""One rollout at a time: what comes meanwhile waits, supersedes, or is withdrawn; and everybody hears what became of theirs."""

from __future__ import annotations

import asyncio
import time

import pytest

from pipelines.errors import Conflict
from pipelines.messages.deploy import RolloutResult, Withdrawal
from pipelines.messages.rollout import EnvironmentState
from pipelines.ports import ENSURE_RELEASE, RETIRE_RELEASE, ROUTE
from tests.support.environment_play import Town
from tests.support.fakes import Gate, World, waits
from tests.support.rollout_play import canary

pytestmark = pytest.mark.server


async def test_releases_one_after_another(world: World) -> None:
    town = Town(world)
    await town.released("one", "two")
    view = await town.idle()
    assert view.stable == town.release("two")
    assert [each.id for each in view.history] == [f"two-{world.service}", f"one-{world.service}"]
    assert town.runs("two")


async def test_the_newer_one_waits_for_its_turn(world: World) -> None:
    town = Town(world)
    await town.released("one")
    first = await town.paused("two")
    second = await town.asks("three")
    third = await town.asks("four")
    assert (first.ahead, second.ahead, third.ahead) == (0, 1, 2)
    view = await town.view()
    assert (view.active, view.queued) == (first.workflow_id, [second.workflow_id, third.workflow_id])
    await town.approve(first)
    for ticket in (first, second, third):
        assert (await town.result(ticket)).status == "promoted"
    await town.idle()
    assert town.runs("four")
    assert len(set(await _ids(town))) == 4


async def _ids(town: Town) -> list[str]:
    return [record.key for record in town.world.deployments]


async def test_the_newer_one_supersedes_what_is_under_way_and_what_waits(world: World) -> None:
    town = Town(world)
    await town.released("one")
    first = await town.paused("two")
    waiting = await town.asks("three")
    newest = await town.asks("four", policy="supersede")
    result = await town.result(first)
    assert (result.status, result.reason) == ("superseded", f"superseded by four-{world.service}")
    assert (await town.result(newest)).status == "promoted"
    await town.idle()
    assert town.runs("four")
    assert waiting.workflow_id not in await _ids(town)


async def test_superseded_before_it_has_begun(world: World) -> None:
    """Asked in the same moment: the older one must not be rolled out because its workflow did not exist yet."""
    town = Town(world)
    await town.released("one")
    for older, newer in (("two", "three"), ("four", "five"), ("six", "seven")):
        await town.asks(older, canary())
        ticket = await town.asks(newer, policy="supersede")
        assert (await town.result(ticket)).status == "promoted"
        await town.idle()
        assert town.runs(newer)
    assert not any(record.status == "promoted" for record in world.deployments if record.strategy == "canary")


async def test_asking_twice_is_asking_once(world: World) -> None:
    town = Town(world)
    await town.released("one")
    request = town.request("two", canary())
    first, again = await town.ask(request), await town.ask(request)
    assert first.workflow_id == again.workflow_id
    assert (await town.view()).queued == []
    await town.asking(first)
    await town.approve(first)
    await town.result(first)
    await town.idle()
    assert (await town.ask(request)).workflow_id == first.workflow_id
    assert [record.release_id for record in world.deployments] == [f"two-{world.service}", f"one-{world.service}"]


async def test_what_is_stable_already_is_not_rolled_out_but_mended(world: World) -> None:
    town = Town(world)
    await town.released("one")
    world.cluster.replicas.clear()
    await town.asks("one")
    await world.until(lambda: town.runs("one"))
    assert len(world.deployments) == 1
    assert len((await town.idle()).history) == 1


async def test_whoever_asked_is_answered_once_it_is_over(world: World) -> None:
    """By a signal; and again when it asks again, since a signal may be lost with a run that was reset."""
    town = Town(world)
    await world.client.start_workflow(
        "EnvironmentWorkflow", EnvironmentState(place=town.place), id=f"asker-{world.token}", task_queue="deploy"
    )
    request = town.request("one", reply_to=f"asker-{world.token}")
    await town.result(await town.ask(request))
    await town.idle()
    await town.ask(request)
    found = await _signals(world, f"asker-{world.token}", 2)
    assert [(each.request_id, each.status) for each in found] == [(request.request_id, "promoted")] * 2


async def _signals(world: World, workflow_id: str, count: int) -> list[RolloutResult]:
    handle = world.client.get_workflow_handle(workflow_id)
    deadline = time.monotonic() + 20
    while True:
        assert time.monotonic() < deadline
        events = [event async for event in handle.fetch_history_events()]
        payloads = [
            event.workflow_execution_signaled_event_attributes.input.payloads[0].data
            for event in events
            if event.workflow_execution_signaled_event_attributes.signal_name == "rollout_finished"
        ]
        if len(payloads) >= count:
            return [RolloutResult.model_validate_json(payload) for payload in payloads]
        await asyncio.sleep(0.02)


async def test_one_that_asked_and_is_gone_needs_no_answer(world: World) -> None:
    town = Town(world)
    await town.result(await town.asks("one", reply_to=f"nobody-{world.token}"))
    await town.released("two")
    assert town.runs("two")


async def test_withdrawn_while_it_waits(world: World) -> None:
    town = Town(world)
    await town.released("one")
    first = await town.paused("two")
    unwanted = town.request("three")
    await town.ask(unwanted)
    await town.withdraw(unwanted)
    await town.until(lambda view: not view.queued)
    await town.approve(first)
    await town.idle()
    assert town.runs("two")
    assert not any(record.release_id.startswith("three") for record in world.deployments)


async def test_withdrawn_while_it_is_under_way(world: World) -> None:
    town = Town(world)
    await town.released("one")
    request = town.request("two", canary())
    ticket = await town.ask(request)
    await town.asking(ticket)
    await town.withdraw(request)
    result = await town.result(ticket)
    assert (result.status, result.reason) == ("aborted", "the run was stopped")
    await town.idle()
    assert town.runs("one")


async def test_withdrawn_before_it_was_asked_for(world: World) -> None:
    """The request was on its way when the run was stopped."""
    town = Town(world)
    await town.released("one")
    request = town.request("two")
    await town.withdraw(request)
    await town.ask(request)
    await town.idle()
    assert town.runs("one")
    await town.released("two")


async def test_withdrawn_in_the_moment_it_begins(world: World) -> None:
    town = Town(world)
    await town.released("one")
    for _ in range(5):
        request = town.request("two")
        ticket = await town.ask(request)
        await town.withdraw(request)
        await town.idle()
        stable = "two" if world.deployments[0].status == "promoted" else "one"
        assert town.runs(stable), ticket
        if stable == "two":
            await town.released("one")


async def test_withdrawn_twice_and_too_late(world: World) -> None:
    town = Town(world)
    request = town.request("one")
    await town.result(await town.ask(request))
    await town.idle()
    await town.withdraw(request)
    await town.withdraw(request)
    await town.released("two", "one")


async def test_a_rollout_that_fails_leaves_stable_and_the_next_one_goes_on(world: World) -> None:
    town = Town(world)
    await town.released("one")
    gate = Gate()
    world.plan(ENSURE_RELEASE, f"two-{world.service}", waits(gate))
    ticket = await town.asks("two", canary())
    await world.until(lambda: gate.waiting == 1)
    world.client.get_workflow_handle(ticket.workflow_id)
    await world.client.get_workflow_handle(ticket.workflow_id).cancel()
    assert (await town.result(ticket)).status == "aborted"
    assert (await town.idle()).stable == town.release("one")
    await town.released("three")
    assert town.runs("three")


@pytest.mark.parametrize("first", [True, False])
async def test_a_rollout_that_is_terminated_is_cleaned_up_after(world: World, first: bool) -> None:
    """Its own way back cannot run any more: the environment puts the traffic back and removes what is left."""
    town = Town(world)
    gate = Gate()
    if first:
        world.plan(ROUTE, f"two-{world.service}=100", waits(gate))
    else:
        await town.released("one")
    ticket = await town.asks("two", canary())
    await (world.until(lambda: gate.waiting == 1) if first else town.asking(ticket))
    await world.client.get_workflow_handle(ticket.workflow_id).terminate("by hand")
    gate.open()
    await world.until(lambda: world.count(RETIRE_RELEASE, f"two-{world.service}") == 1)
    await town.idle()
    assert town.weights() == ({} if first else {f"one-{world.service}": 100})
    assert (world.deployments[0].key, world.deployments[0].status) == (ticket.workflow_id, "failed")
    await town.released("three")


async def test_an_unknown_withdrawal_is_harmless(world: World) -> None:
    town = Town(world)
    await town.released("one")
    await town.handle.signal("withdraw", Withdrawal(request_id="nobody's"))
    await town.released("two")
    assert town.runs("two")


async def test_a_rollback_that_is_impossible_says_why(world: World) -> None:
    town = Town(world)
    await town.released("one")
    with pytest.raises(Exception, match="no earlier release") as caught:
        await town.rollback()
    assert not isinstance(caught.value, Conflict)
