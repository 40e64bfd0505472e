"""Events in the order in which they were published, and notifications with the channels that have them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Select, select

from activities.records.database import Database, upsert
from activities.records.tables import DeliveryRow, EventRow, NotificationRow
from pipelines.messages.common import Message
from pipelines.messages.notify import Event, Notification


class Published(Message):
    """`seq` rises by commit: who has read up to one misses none by asking for what comes after it."""

    seq: int
    event: Event


class Told(Message):
    """`at` in Unix seconds; `channels` have it."""

    at: float
    notification: Notification
    channels: list[str]


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, event: Event) -> None:
        """Publishing twice is publishing once: the id decides."""
        row = {"id": event.id, "type": event.type, "subject": event.subject, "at": event.time, "body": event.model_dump_json()}
        with self._database.write("events") as session:
            if session.scalar(select(EventRow.seq).where(EventRow.id == event.id)) is None:
                session.add(EventRow(**row))

    def after(self, seq: int = 0, limit: int = 100, types: Sequence[str] = ()) -> list[Published]:
        """What came after `seq`, oldest first."""
        query = select(EventRow).where(EventRow.seq > seq).order_by(EventRow.seq).limit(limit)
        return self._list(query.where(EventRow.type.in_(types)) if types else query)

    def recent(self, limit: int = 50, subject: str | None = None) -> list[Published]:
        """Newest first."""
        query = select(EventRow).order_by(EventRow.seq.desc()).limit(limit)
        return self._list(query.where(EventRow.subject == subject) if subject is not None else query)

    def _list(self, query: Select[EventRow]) -> list[Published]:
        with self._database.read() as session:
            return [Published(seq=row.seq, event=Event.model_validate_json(row.body)) for row in session.scalars(query)]


class Notifications:
    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, notification: Notification, at: float | None = None) -> None:
        """Known by its key; the first one stays."""
        row = {"key": notification.key, "at": time.time() if at is None else at, "body": notification.model_dump_json()}
        with self._database.write() as session:
            upsert(session, NotificationRow, row, ["key"], insert_only=True)

    def mark(self, key: str, channel: str) -> None:
        """The channel has it."""
        row = {"key": key, "channel": channel, "at": time.time()}
        with self._database.write() as session:
            upsert(session, DeliveryRow, row, ["key", "channel"], insert_only=True)

    def channels(self, key: str) -> set[str]:
        """Names of the channels that have it."""
        with self._database.read() as session:
            return set(session.scalars(select(DeliveryRow.channel).where(DeliveryRow.key == key)))

    def recent(self, limit: int = 50) -> list[Told]:
        """Newest first."""
        query = select(NotificationRow).order_by(NotificationRow.at.desc(), NotificationRow.key).limit(limit)
        with self._database.read() as session:
            rows = list(session.scalars(query))
            has: dict[str, list[str]] = {row.key: [] for row in rows}
            for delivery in session.scalars(select(DeliveryRow).where(DeliveryRow.key.in_(has)).order_by(DeliveryRow.at)):
                has[delivery.key].append(delivery.channel)
            return [Told(at=r.at, notification=Notification.model_validate_json(r.body), channels=has[r.key]) for r in rows]
