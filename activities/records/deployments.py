"""Rollouts as they were last heard of: releases, DORA figures and retention are read from them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from activities.records.database import Database, upsert
from activities.records.tables import DeploymentRow
from pipelines.messages.notify import DeploymentRecord


class Deployments:
    def __init__(self, database: Database) -> None:
        self._database = database

    def upsert(self, record: DeploymentRecord) -> None:
        """The last one wins, but a late word of an older stage of the same rollout never does."""
        columns = {
            "key", "environment", "service", "release_id", "digest", "run_id", "status", "started_at", "finished_at"
        }  # fmt: skip
        row = record.model_dump(mode="json", include=columns)
        row |= {"progress": _progress(record), "body": record.model_dump_json()}
        with self._database.write() as session:
            upsert(session, DeploymentRow, row, ["key"], newer=_newer)

    def get(self, key: str) -> DeploymentRecord | None:
        with self._database.read() as session:
            row = session.get(DeploymentRow, key)
            return DeploymentRecord.model_validate_json(row.body) if row else None

    def of(self, environment: str, service: str, limit: int | None = None) -> list[DeploymentRecord]:
        """The rollouts of a place, newest first."""
        return self._list(limit, environment=environment, service=service)

    def release(self, release_id: str) -> list[DeploymentRecord]:
        """The rollouts that brought a release, newest first; none: the release is not known."""
        return self._list(None, release_id=release_id)

    def of_run(self, run_id: str) -> list[DeploymentRecord]:
        return self._list(None, run_id=run_id)

    def recent(self, limit: int | None = 100, since: float = 0.0) -> list[DeploymentRecord]:
        """Of all places, begun at or after `since` (Unix seconds), newest first. `limit` None: all."""
        return self._list(limit, since=since)

    def _list(self, limit: int | None, since: float = 0.0, **exact: str) -> list[DeploymentRecord]:
        query = select(DeploymentRow.body).order_by(DeploymentRow.started_at.desc(), DeploymentRow.key.desc()).limit(limit)
        query = query.filter_by(**exact).where(DeploymentRow.started_at >= since)
        with self._database.read() as session:
            return [DeploymentRecord.model_validate_json(body) for body in session.scalars(query)]


def _progress(record: DeploymentRecord) -> int:
    """started, promoted and not yet tidied up, ended."""
    if record.finished_at is not None:
        return 2
    return 0 if record.status == "started" else 1


def _newer(old: Any, new: Any) -> ColumnElement[bool]:
    return or_(new.started_at > old.started_at, and_(new.started_at == old.started_at, new.progress >= old.progress))
