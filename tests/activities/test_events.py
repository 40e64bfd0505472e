"""Events leave through the bus that there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.clients.failing import FailingBus
from activities.events import NullBus, OutboxBus, Publisher
from activities.records import Records
from activities.records.migrate import upgrade
from pipelines.errors import Unavailable, UserError
from pipelines.events import SystemHealthEvent, seal
from pipelines.messages.common import Nothing
from pipelines.messages.notify import Event
from pipelines.ports import NOTIFY, PUBLISH
from tests.support.records import event


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    upgrade(f"sqlite:///{tmp_path}/r.sqlite")
    records = Records(f"sqlite:///{tmp_path}/r.sqlite")
    yield records
    records.close()


HEALTH = seal(SystemHealthEvent(environment="prod", status="healthy"), "h1", "prod", 1.0)


class Foreign:
    def publish(self, event: Event) -> None:
        raise ConnectionRefusedError(111, "Connection refused")


def test_the_outbox_has_what_was_published_once(records: Records) -> None:
    publisher = Publisher(OutboxBus(records.outbox))
    for _ in range(2):
        assert publisher.publish(HEALTH) == Nothing()
    assert [entry.event for entry in records.outbox.after()] == [HEALTH]


def test_an_outage_is_retried_until_it_is_over() -> None:
    bus = FailingBus(2)
    publisher = Publisher(bus)
    for left in (1, 0):
        with pytest.raises(Unavailable, match=f"{left} more to come"):
            publisher.publish(HEALTH)
    publisher.publish(HEALTH)
    assert bus.published == [HEALTH]


def test_foreign_trouble_is_translated() -> None:
    with pytest.raises(Unavailable, match="Connection refused"):
        Publisher(Foreign()).publish(HEALTH)


def test_what_does_not_fit_its_schema_never_leaves(records: Records) -> None:
    with pytest.raises(UserError, match="environment"):
        Publisher(OutboxBus(records.outbox)).publish(event("bad"))
    assert records.outbox.after() == []


def test_off_takes_everything() -> None:
    assert Publisher(NullBus()).publish(HEALTH) == Nothing()


def test_the_activity_is_the_ports(records: Records) -> None:
    assert Publisher.publish.__switchyard_port__ is PUBLISH  # type: ignore[attr-defined]
    assert PUBLISH.queue == NOTIFY.queue == "notify"
