"""Scenarios of DeliveryWorkflow."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowHandle

from pipelines.errors import Unavailable
from pipelines.messages.notify import Delivery, Event, Notification
from pipelines.ports import NOTIFY
from tests.replay.scenarios.registry import scenario
from tests.support.fakes import World, raises


async def _deliver(world: World, delivery: Delivery) -> WorkflowHandle[Any, Any]:
    run = await world.client.start_workflow("DeliveryWorkflow", delivery, id=f"delivery/{world.token}", task_queue="notify")
    await run.result()
    return run


@scenario
async def delivery_of_a_notification_after_an_outage(world: World) -> WorkflowHandle[Any, Any]:
    world.plan(NOTIFY, "hello", raises(Unavailable("the channel is away")))
    return await _deliver(world, Delivery(notification=Notification(key=world.token, title="hello")))


@scenario
async def delivery_of_an_event(world: World) -> WorkflowHandle[Any, Any]:
    event = Event(id=world.token, type="BuildStartedEvent", subject="a run", time=1000.0)
    return await _deliver(world, Delivery(event=event))
