"""Adapters that fail at first, for trying out what an outage of a receiver does."""

from __future__ import annotations

import threading

from pipelines.errors import Unavailable
from pipelines.messages.notify import Event, Notification


class Outage:
    """Over after `times` attempts."""

    def __init__(self, times: int) -> None:
        self._left = times
        self._lock = threading.Lock()

    def strike(self) -> None:
        """Raises Unavailable while it lasts."""
        with self._lock:
            self._left -= 1
            if self._left >= 0:
                raise Unavailable(f"an outage on purpose, {self._left} more to come")


class FailingChannel:
    """A notification channel that fails `times` times, then keeps what it is sent in `sent`."""

    def __init__(self, times: int) -> None:
        self._outage = Outage(times)
        self.sent: list[Notification] = []

    def send(self, notification: Notification) -> None:
        self._outage.strike()
        self.sent.append(notification)


class FailingBus:
    """An event bus that fails `times` times, then keeps what it is given in `published`."""

    def __init__(self, times: int) -> None:
        self._outage = Outage(times)
        self.published: list[Event] = []

    def publish(self, event: Event) -> None:
        self._outage.strike()
        self.published.append(event)
