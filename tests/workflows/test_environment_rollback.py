"""Rollbacks of an environment, and its memory when it is ended by hand and starts anew."""

from __future__ import annotations

import pytest

from pipelines.errors import SwitchyardError
from pipelines.messages.runs import Abort
from pipelines.ports import LOAD_ENVIRONMENT, RETIRE_RELEASE, ROUTE
from tests.support.environment_play import Town
from tests.support.fakes import Gate, World, waits
from tests.support.rollout_play import canary, spec

pytestmark = pytest.mark.server

SLOW = [{"setWeight": 20}, {"pause": {"duration": "1h"}}]


async def test_to_the_one_before_without_pauses(world: World) -> None:
    town = Town(world)
    assert (await town.result(await town.asks("one", canary(*SLOW)))).status == "promoted"
    await town.released("two")
    ticket = await town.rollback(reason="slow")
    assert (await town.result(ticket)).status == "promoted"
    await town.idle()
    assert town.runs("one")
    record = world.deployments[0]
    assert (record.rollback, record.previous) == (True, f"two-{world.service}")
    assert world.entry("rollout.started").reason == "slow"


async def test_to_a_named_one(world: World) -> None:
    town = Town(world)
    await town.released("one", "two", "three")
    await town.result(await town.rollback(to=town.release("one").id))
    view = await town.idle()
    assert town.runs("one")
    assert [each.version for each in view.history] == ["one", "three", "two"]


async def test_outside_of_the_window_its_strategy_is_kept(world: World) -> None:
    town = Town(world)
    await town.result(await town.asks("one", canary()))
    await town.released("two")
    ticket = await town.rollback(window=0.0)
    await town.asking(ticket)
    await town.approve(ticket)
    await town.result(ticket)
    await town.idle()
    assert town.runs("one")


async def test_of_what_is_under_way(world: World) -> None:
    town = Town(world)
    await town.released("one")
    ticket = await town.paused("two")
    assert (await town.rollback(reason="bad")).workflow_id == ticket.workflow_id
    result = await town.result(ticket)
    assert (result.status, result.reason) == ("aborted", "bad")
    await town.idle()
    assert town.runs("one")


async def test_to_stable_while_something_is_under_way(world: World) -> None:
    town = Town(world)
    await town.released("one")
    ticket = await town.paused("two")
    assert (await town.rollback(to=town.release("one").id)).workflow_id == ticket.workflow_id
    assert (await town.result(ticket)).status == "aborted"


async def test_of_what_is_too_far_to_be_turned_back(world: World) -> None:
    """The old release is being removed: the rollout ends, and then its release is returned from."""
    town = Town(world)
    await town.released("one")
    gate = Gate()
    world.plan(RETIRE_RELEASE, f"one-{world.service}", waits(gate))
    ticket = await town.asks("two")
    await world.until(lambda: gate.waiting == 1)
    await town.rollback()
    gate.open()
    assert (await town.result(ticket)).status == "promoted"
    await world.until(lambda: town.runs("one"))


async def test_asked_twice_it_does_not_return_from_where_it_returns_to(world: World) -> None:
    town = Town(world)
    await town.released("one", "two")
    gate = Gate()
    world.plan(ROUTE, f"one-{world.service}=100", waits(gate))
    first = await town.rollback()
    await world.until(lambda: gate.waiting == 1)
    second = await town.rollback()
    gate.open()
    assert second.workflow_id == first.workflow_id
    assert (await town.result(first)).status == "promoted"
    await town.idle()
    assert town.runs("one")


async def test_asked_again_with_the_same_id_when_it_is_over(world: World) -> None:
    town = Town(world)
    await town.released("one", "two")
    first = await town.rollback(request_id=f"once-{world.token}")
    await town.result(first)
    await town.idle()
    assert (await town.rollback(request_id=f"once-{world.token}")).workflow_id == first.workflow_id
    assert town.runs("one")


@pytest.mark.parametrize(("to", "words"), [("", "no earlier release"), ("nothing", "nothing is not known"), ("one", "already")])
async def test_refused(world: World, to: str, words: str) -> None:
    town = Town(world)
    await town.released("one")
    name = town.release("one").id if to == "one" else to
    with pytest.raises(SwitchyardError, match=words):
        await town.rollback(to=name or None)


async def test_an_environment_that_was_ended_by_hand_remembers(world: World) -> None:
    town = Town(world)
    await town.released("one", "two")
    await town.handle.terminate("by hand")
    assert (await town.result(await town.rollback())).status == "promoted"
    await town.idle()
    assert town.runs("one")
    assert len({record.key for record in world.deployments}) == 3


async def test_numbers_of_rollouts_are_never_used_again(world: World) -> None:
    """One that was withdrawn had a number and has no record."""
    town = Town(world)
    await town.released("one")
    first = await town.paused("two")
    unwanted = town.request("three")
    await town.ask(unwanted)
    await town.withdraw(unwanted)
    await town.approve(first)
    await town.result(first)
    last = await town.asks("four")
    await town.result(last)
    await town.idle()
    await town.handle.terminate("by hand")
    ticket = await town.asks("five")
    assert (await town.result(ticket)).status == "promoted"
    assert ticket.workflow_id not in (first.workflow_id, last.workflow_id)
    assert len(world.deployments) == 4


async def test_ended_by_hand_in_the_middle_of_a_rollout(world: World) -> None:
    """The rollout lives on; the new environment turns it back before it does anything else."""
    town = Town(world)
    await town.released("one")
    first = await town.paused("two")
    await town.handle.terminate("by hand")
    second = await town.asks("three")
    assert (await town.result(first)).status == "superseded"
    assert (await town.result(second)).status == "promoted"
    await town.idle()
    assert town.runs("three")
    assert second.workflow_id != first.workflow_id


async def test_ended_by_hand_while_the_old_release_is_kept(world: World) -> None:
    """The records say promoted, but it is turned back: what is stable is read again then."""
    town = Town(world)
    await town.released("one")
    first = await town.asks("two", spec("rolling", scaleDownDelay="1h"))
    await world.until(
        lambda: (world.deployments[0].release_id, world.deployments[0].status) == (town.release("two").id, "promoted")
    )
    await town.handle.terminate("by hand")
    assert (await town.result(await town.asks("three", canary({"setWeight": 50})))).status == "promoted"
    assert (await town.result(first)).status == "superseded"
    assert world.deployments[0].previous == f"one-{world.service}"
    await town.idle()
    assert town.runs("three")


async def test_both_ended_by_hand(world: World) -> None:
    """Nobody is left to turn it back: the new environment puts the traffic on stable first."""
    town = Town(world)
    await town.released("one")
    first = await town.paused("two")
    await town.handle.terminate("by hand")
    await world.client.get_workflow_handle(first.workflow_id).terminate("by hand")
    loaded = world.count(LOAD_ENVIRONMENT)
    gate = Gate()
    world.plan(ROUTE, f"one-{world.service}=100", waits(gate))
    with pytest.raises(SwitchyardError):
        _, _ = gate.open(), await town.rollback(to="nothing")
    assert world.count(LOAD_ENVIRONMENT) > loaded
    assert town.weights() == {f"one-{world.service}": 100}


async def test_aborted_by_people_it_answers_and_goes_on(world: World) -> None:
    town = Town(world)
    await town.released("one")
    ticket = await town.paused("two")
    queued = await town.asks("three")
    await world.client.get_workflow_handle(ticket.workflow_id).execute_update("abort", Abort(actor="ann"))
    assert (await town.result(ticket)).status == "aborted"
    assert (await town.result(queued)).status == "promoted"
