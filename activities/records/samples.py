"""Metric samples: what was scraped of a place for a release at a time, as JSON."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field
from sqlalchemy import delete, func, select

from activities.records.database import Database, upsert
from activities.records.tables import SampleRow
from pipelines.messages.common import Message


class Sample(Message):
    """`at` in Unix seconds; `place` is 'environment/service'."""

    place: str
    release_id: str
    at: float
    payload: dict[str, Any] = Field(default_factory=dict)


class Samples:
    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, place: str, release_id: str, at: float, payload: dict[str, Any]) -> None:
        """One per place, release and time; a second one replaces it."""
        self.store_all([Sample(place=place, release_id=release_id, at=at, payload=payload)])

    def store_all(self, samples: list[Sample]) -> None:
        """All of one scrape, in one transaction."""
        rows = [sample.model_dump(exclude={"payload"}) | {"payload": json.dumps(sample.payload)} for sample in samples]
        with self._database.write() as session:
            upsert(session, SampleRow, rows, ["place", "release_id", "at"])

    def between(self, place: str, since: float, until: float | None = None, release_id: str | None = None) -> list[Sample]:
        """Those with since <= at <= until, oldest first."""
        query = select(SampleRow).where(SampleRow.place == place, SampleRow.at >= since)
        query = query.order_by(SampleRow.at, SampleRow.release_id)
        if until is not None:
            query = query.where(SampleRow.at <= until)
        if release_id is not None:
            query = query.where(SampleRow.release_id == release_id)
        with self._database.read() as session:
            return [_sample(row) for row in session.scalars(query)]

    def last_before(self, place: str, release_id: str, at: float) -> Sample | None:
        """The newest one at or before `at`: where a counter stood when a window began."""
        query = select(SampleRow).where(SampleRow.place == place, SampleRow.release_id == release_id, SampleRow.at <= at)
        with self._database.read() as session:
            row = session.scalars(query.order_by(SampleRow.at.desc()).limit(1)).first()
            return _sample(row) if row else None

    def prune(self, before: float) -> int:
        """Remove all older than `before`; how many there were."""
        with self._database.write() as session:
            count = session.scalar(select(func.count()).where(SampleRow.at < before)) or 0
            session.execute(delete(SampleRow).where(SampleRow.at < before))
            return count


def _sample(row: SampleRow) -> Sample:
    return Sample(place=row.place, release_id=row.release_id, at=row.at, payload=json.loads(row.payload))
