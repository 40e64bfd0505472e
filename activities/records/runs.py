"""Runs as they were last heard of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from activities.records.database import Database, upsert
from activities.records.tables import RunRow
from pipelines.messages.common import Status
from pipelines.messages.notify import RunRecord


class Runs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def upsert(self, record: RunRecord) -> None:
        """The last one wins, but a late word never does: not that of an older execution, nor an unfinished status of an execution
        that is known to have ended."""
        columns = {"run_id", "execution", "repo", "branch", "sha", "service", "pipeline", "status", "started_at", "finished_at"}
        row = record.model_dump(mode="json", include=columns)
        row |= {"final": record.status.final, "body": record.model_dump_json()}
        with self._database.write() as session:
            upsert(session, RunRow, row, ["run_id"], newer=_newer)

    def get(self, run_id: str) -> RunRecord | None:
        with self._database.read() as session:
            row = session.get(RunRow, run_id)
            return RunRecord.model_validate_json(row.body) if row else None

    def recent(
        self,
        limit: int = 50,
        *,
        repo: str | None = None,
        branch: str | None = None,
        service: str | None = None,
        pipeline: str | None = None,
        status: Status | str | None = None,
        sha: str | None = None,
        before: float | None = None,
    ) -> list[RunRecord]:
        """Newest first. `sha` may be the beginning of one; `before` (Unix seconds) gives the next page."""
        query = select(RunRow.body).order_by(RunRow.started_at.desc(), RunRow.run_id).limit(limit)
        exact = {RunRow.repo: repo, RunRow.branch: branch, RunRow.service: service, RunRow.pipeline: pipeline}
        query = query.where(*[column == value for column, value in exact.items() if value is not None])
        if status is not None:
            query = query.where(RunRow.status == str(status))
        if sha is not None:
            query = query.where(RunRow.sha.startswith(sha, autoescape=True))
        if before is not None:
            query = query.where(RunRow.started_at < before)
        with self._database.read() as session:
            return [RunRecord.model_validate_json(body) for body in session.scalars(query)]

    def unfinished(self) -> set[str]:
        """Ids of the runs that have not ended, as far as is known."""
        with self._database.read() as session:
            return set(session.scalars(select(RunRow.run_id).where(RunRow.final.is_(False))))

    def finished_before(self, at: float) -> list[str]:
        """Ids of the runs that ended before `at` (Unix seconds)."""
        query = select(RunRow.run_id).where(RunRow.final, RunRow.finished_at < at)
        with self._database.read() as session:
            return list(session.scalars(query))


def _newer(old: Any, new: Any) -> ColumnElement[bool]:
    another = and_(new.started_at == old.started_at, new.execution != old.execution)
    same = and_(new.execution == old.execution, or_(new.final, ~old.final))
    return or_(new.started_at > old.started_at, another, same)
