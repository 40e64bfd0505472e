"""Moments of a workflow, told by its history as it grows: what a test waits for before it kills something.

An event is put into words, such as 'scheduled step.run: build: compile' or 'timer: approval of deploy', and a moment is a
regular expression over these words. The history is followed by long polls, so that a moment is known within milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tests.support.live_stack import LiveStack


@dataclass(frozen=True)
class Moment:
    """The `nth` event (from 1) whose words match `words`."""

    words: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.words}#{self.nth}" if self.nth > 1 else self.words


def moment(words: str, nth: int = 1) -> Moment:
    return Moment(words, nth)


def waiting_for(stack: LiveStack, workflow_id: str, what: Moment) -> Future[str]:
    """A future of the matching event's words. It fails when the workflow ends without such an event."""
    return stack.begin(lambda client: _first(client, workflow_id, what))


def told(stack: LiveStack, workflow_id: str) -> list[str]:
    """All events so far, in words behind the seconds since the first one."""
    return stack.on(lambda client: _all(client, workflow_id))


async def _first(client: Client, workflow_id: str, what: Moment) -> str:
    seen, count = [], 0
    async for words in _words(client, workflow_id, follow=True):
        seen.append(words)
        count += bool(re.search(what.words, words))
        if count == what.nth:
            return words
    raise AssertionError(f"{workflow_id} ended without '{what}':\n" + "\n".join(seen))


async def _all(client: Client, workflow_id: str) -> list[str]:
    return [words async for words in _words(client, workflow_id, follow=False)]


async def _words(client: Client, workflow_id: str, *, follow: bool) -> AsyncIterator[str]:
    names: dict[int, str] = {}
    began = 0.0
    async for event in _events(client, workflow_id, follow):
        at = event.event_time.ToMicroseconds() / 1e6
        began = began or at
        yield f"{at - began:7.3f} {_put(event, names)}"


async def _events(client: Client, workflow_id: str, follow: bool) -> AsyncIterator[HistoryEvent]:
    """From the first event on; waits for a workflow that is not there yet."""
    while True:
        try:
            async for event in client.get_workflow_handle(workflow_id).fetch_history_events(wait_new_event=follow):
                yield event
            return
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND or not follow:
                raise
            await asyncio.sleep(0.02)


def _put(event: HistoryEvent, names: dict[int, str]) -> str:
    summary = json.loads(event.user_metadata.summary.data) if event.user_metadata.HasField("summary") else ""
    kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower().replace("_", " ")
    match kind:
        case "activity task scheduled":
            names[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name
            return f"scheduled {names[event.event_id]}: {summary}"
        case "activity task completed":
            return f"completed {names[event.activity_task_completed_event_attributes.scheduled_event_id]}"
        case "activity task failed":
            return f"failed {names[event.activity_task_failed_event_attributes.scheduled_event_id]}"
        case "timer started":
            return f"timer: {summary}"
        case "start child workflow execution initiated":
            child = event.start_child_workflow_execution_initiated_event_attributes
            return f"child {child.workflow_type.name}: {child.workflow_id}"
        case "workflow execution signaled":
            return f"signal {event.workflow_execution_signaled_event_attributes.signal_name}"
        case "workflow execution update accepted":
            return f"update {event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name}"
        case _:
            return kind
