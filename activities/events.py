"""Events to other systems, through whatever bus there is."""

from __future__ import annotations

from typing import Protocol

from activities.base import implements
from activities.records.outbox import Outbox
from pipelines.errors import Unavailable
from pipelines.events import unseal
from pipelines.messages.common import Nothing
from pipelines.messages.notify import Event
from pipelines.ports import PUBLISH


class EventBus(Protocol):
    """Takes an event at least once, and knows it by its id. Raises Unavailable (or Throttled) when it should be tried again."""

    def publish(self, event: Event) -> None: ...


class OutboxBus:
    """The embedded bus: a table, read in order by whoever wants to know (Records.outbox.after)."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def publish(self, event: Event) -> None:
        self._outbox.store(event)


class NullBus:
    """Events are off."""

    def publish(self, event: Event) -> None:
        pass


class Publisher:
    """Implements PUBLISH."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    @implements(PUBLISH)
    def publish(self, event: Event) -> Nothing:
        """Raises UserError for an event that does not fit its schema, Unavailable when the bus does not take it."""
        unseal(event)
        try:
            self._bus.publish(event)
        except OSError as error:
            raise Unavailable(f"the event bus does not work: {error.strerror or type(error).__name__}") from None
        return Nothing()
