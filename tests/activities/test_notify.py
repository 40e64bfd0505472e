"""Notifications reach every channel once, whatever fails on the way."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from activities.clients.console_channel import ConsoleChannel
from activities.clients.failing import FailingChannel
from activities.notify import Channel, Notifier, NullChannel
from activities.records import Records
from activities.records.migrate import upgrade
from pipelines.errors import SettingsError, Unavailable
from pipelines.messages.common import Nothing
from pipelines.messages.notify import Notification
from tests.support.records import notification


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    upgrade(f"sqlite:///{tmp_path}/r.sqlite")
    records = Records(f"sqlite:///{tmp_path}/r.sqlite")
    yield records
    records.close()


class Broken:
    """A channel whose fault no retry can mend, or one that fails in a foreign way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send(self, notification: Notification) -> None:
        raise self._error


def printed(note: Notification) -> str:
    out = io.StringIO()
    ConsoleChannel(Console(file=out, soft_wrap=True, highlight=False)).send(note)
    return out.getvalue()


def test_all_channels_get_it_and_it_is_recorded(records: Records) -> None:
    channels = {"console": FailingChannel(0), "slack": FailingChannel(0)}
    assert Notifier(records, channels).notify(notification("n")) == Nothing()
    assert [channel.sent for channel in channels.values()] == [[notification("n")], [notification("n")]]
    (told,) = records.notifications.recent()
    assert (told.notification, sorted(told.channels)) == (notification("n"), ["console", "slack"])


def test_a_named_channel_gets_it_alone(records: Records) -> None:
    channels = {"console": FailingChannel(0), "slack": FailingChannel(0)}
    Notifier(records, channels).notify(notification("n", channel="slack"))
    assert (channels["console"].sent, len(channels["slack"].sent)) == ([], 1)


def test_a_channel_that_is_not_configured_is_named_and_the_notification_is_recorded(records: Records) -> None:
    with pytest.raises(SettingsError, match="'email' is not configured. Configured: console"):
        Notifier(records, {"console": FailingChannel(0)}).notify(notification("n", channel="email"))
    assert [told.channels for told in records.notifications.recent()] == [[]]


def test_an_outage_is_retried_and_those_who_have_it_are_not_told_again(records: Records) -> None:
    channels = {"console": FailingChannel(0), "slack": FailingChannel(3)}
    notifier = Notifier(records, channels)
    for _ in range(3):
        with pytest.raises(Unavailable):
            notifier.notify(notification("n"))
    assert records.notifications.channels("n") == {"console"}
    for _ in range(3):
        notifier.notify(notification("n"))
    assert [len(channel.sent) for channel in channels.values()] == [1, 1]


def test_one_broken_channel_does_not_keep_it_from_others(records: Records) -> None:
    last = FailingChannel(0)
    channels: dict[str, Channel] = {"a": Broken(SettingsError("no token")), "b": Broken(ConnectionError("down")), "c": last}
    with pytest.raises(Unavailable, match="channel 'b' does not work: ConnectionError"):
        Notifier(records, channels).notify(notification("n"))
    assert len(last.sent) == 1


def test_a_fault_that_no_retry_can_mend_is_told_when_it_is_the_only_one(records: Records) -> None:
    with pytest.raises(SettingsError, match="no token"):
        Notifier(records, {"a": Broken(SettingsError("no token")), "b": FailingChannel(0)}).notify(notification("n"))


def test_off_is_recorded_too(records: Records) -> None:
    Notifier(records, {"null": NullChannel()}).notify(notification("n"))
    Notifier(records, {}).notify(notification("m"))
    assert {told.notification.key for told in records.notifications.recent()} == {"n", "m"}


def test_the_console_shows_all_of_it() -> None:
    note = notification(level="error", title="web: out", text="first\nsecond", links={"run": "http://127.0.0.1/r", "log": "/l"})
    assert printed(note).splitlines() == [
        "error: web: out",
        "    first",
        "    second",
        "    log: /l",
        "    run: http://127.0.0.1/r",
    ]


@pytest.mark.parametrize("text", ["[bold]not markup[/]", "[/]", "[link=http://evil]x[/link]", "a" * 500])
def test_the_console_takes_no_text_for_markup(text: str) -> None:
    assert text in printed(notification(title=text, text=text))
    assert printed(notification(title=text)).count("\n") == 1
