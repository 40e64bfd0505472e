"""Deliveries: outlast whoever asked for them, are retried until they arrive, and leave once."""

from __future__ import annotations

import asyncio

from temporalio.client import WorkflowExecutionStatus

from pipelines.errors import Unavailable
from pipelines.messages.notify import Delivery, Event, Notification
from pipelines.messages.runs import Approve
from pipelines.ports import NOTIFY, PUBLISH
from tests.support.fakes import Gate, World, breaks, raises, times, waits
from tests.support.rollout_play import Play, canary


async def test_an_outage_of_a_receiver_holds_nothing_up_and_loses_nothing(world: World) -> None:
    """The rollout is over while its events still wait; they arrive when the receiver is back."""
    gate = Gate()
    world.always(PUBLISH, "*", waits(gate))
    world.always(NOTIFY, "*", raises(Unavailable("the channel is away")))
    play = await Play(world, canary({"setWeight": 50})).start()
    assert (await play.end()).status == "promoted"
    assert (world.told, world.events) == ([], [])
    world.always(NOTIFY, "*", None)
    gate.open()
    await world.until(lambda: len(world.told) == 1 and len(world.events) == 2)


async def test_a_terminated_rollout_does_not_take_its_notifications_along(world: World) -> None:
    gate = Gate()
    world.always(NOTIFY, "*", waits(gate))
    play = await Play(world).start()
    await play.until_asked(20)
    await world.until(lambda: gate.waiting == 1)
    await play.handle.terminate("by hand")
    gate.open()
    await world.until(lambda: len(world.told) == 1)
    assert "waits for people" in world.told[0].title


async def test_each_leaves_once_however_often_the_rollout_tells_it(world: World) -> None:
    play = await Play(world).start()
    await play.until_asked(20)
    await world.until(lambda: len(world.told) == 1)
    await play.ask(Approve(actor="ann"))
    await play.end()
    await world.until(lambda: len(world.told) == 2 and len(world.events) == 2)
    keys = [note.key for note in world.told]
    assert len(set(keys)) == 2
    assert [event.type for event in world.events] == ["DeploymentStartedEvent", "DeploymentCompletedEvent"]


async def test_tried_until_it_arrives(world: World) -> None:
    world.plan(NOTIFY, "hello", times(2, raises(Unavailable("away"))), breaks(Unavailable("killed")))
    delivery = Delivery(
        notification=Notification(key=world.token, title="hello"),
        event=Event(id=world.token, type="BuildStartedEvent", subject="run", time=1.0),
    )
    handle = await world.client.start_workflow("DeliveryWorkflow", delivery, id=f"delivery/{world.token}", task_queue="notify")
    await asyncio.wait_for(handle.result(), 30)
    assert world.count(NOTIFY) == 4
    assert (len({note.key for note in world.told}), len(world.events)) == (1, 1)
    assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED
