"""Notifications to people, through whatever channels there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from activities.base import implements
from activities.records import Records
from pipelines.errors import SettingsError, SwitchyardError, Unavailable
from pipelines.messages.common import Nothing
from pipelines.messages.notify import Notification
from pipelines.ports import NOTIFY


class Channel(Protocol):
    """One way to people. `send` raises Unavailable (or Throttled) when it should be tried again."""

    def send(self, notification: Notification) -> None: ...


class NullChannel:
    """Notifications are off: they are recorded, and go nowhere."""

    def send(self, notification: Notification) -> None:
        pass


class Notifier:
    """Implements NOTIFY. `channels` by name; a notification for 'default' goes to all of them."""

    def __init__(self, records: Records, channels: Mapping[str, Channel]) -> None:
        self._records = records
        self._channels = dict(channels)

    @implements(NOTIFY)
    def notify(self, notification: Notification) -> Nothing:
        """Recorded first, then sent to each channel that does not have it yet: a retry tells nobody twice.

        Raises SettingsError for a channel that is not configured, and what a channel raised after the others have had theirs.
        """
        self._records.notifications.store(notification)
        told = self._records.notifications.channels(notification.key)
        failures = [self._send(name, notification) for name in self._wanted(notification) if name not in told]
        troubles = [failure for failure in failures if failure is not None]
        retryable = [trouble for trouble in troubles if trouble.retryable]
        if troubles:
            raise (retryable or troubles)[0]
        return Nothing()

    def _wanted(self, notification: Notification) -> list[str]:
        if notification.channel == "default":
            return sorted(self._channels)
        if notification.channel not in self._channels:
            known = ", ".join(sorted(self._channels)) or "none"
            raise SettingsError(f"notification channel '{notification.channel}' is not configured", f"Configured: {known}")
        return [notification.channel]

    def _send(self, name: str, notification: Notification) -> SwitchyardError | None:
        try:
            self._channels[name].send(notification)
        except SwitchyardError as error:
            return error
        except OSError as error:
            return Unavailable(f"notification channel '{name}' does not work: {error.strerror or type(error).__name__}")
        self._records.notifications.mark(notification.key, name)
        return None
