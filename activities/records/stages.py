"""What stages and steps left; an equal stage that passed is found by its key, and taken over with all its evidence."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.orm import Session

from activities.records.database import Database, upsert
from activities.records.tables import (
    ArtifactRow,
    Base,
    CaseRow,
    CoverageRow,
    FindingRow,
    ReportRow,
    RunRow,
    StageArtifactRow,
    StageRow,
    StepRow,
)
from pipelines.messages.artifacts import ArtifactMetadata
from pipelines.messages.build import StageResult, StepResult
from pipelines.messages.common import ArtifactRef, Status

ARTIFACTS_LOCK = "artifacts"
"""Held by whoever makes artifacts known, uses or removes them."""
ARTIFACT_KEYS = ("digest", "run_id", "name", "kind")
_EVIDENCE: tuple[type[Base], ...] = (StepRow, ReportRow, FindingRow, CaseRow, CoverageRow)
"""In the order in which rows may be inserted."""


class Steps:
    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, run_id: str, stage: str, result: StepResult) -> None:
        row = {"run_id": run_id, "stage": stage, "key": result.key, "started_at": result.started_at}
        with self._database.write() as session:
            upsert(session, StepRow, row | {"body": result.model_dump_json()}, ["run_id", "stage", "key"])

    def find(self, run_id: str, stage: str, key: str) -> StepResult | None:
        with self._database.read() as session:
            row = session.get(StepRow, (run_id, stage, key))
            return StepResult.model_validate_json(row.body) if row else None

    def keys_finished_before(self, at: float) -> list[str]:
        """Keys of the steps of runs that ended before `at` (Unix seconds)."""
        query = select(StepRow.key).join(RunRow, RunRow.run_id == StepRow.run_id).where(RunRow.final, RunRow.finished_at < at)
        with self._database.read() as session:
            return list(session.scalars(query))

    def of_run(self, run_id: str) -> dict[str, list[StepResult]]:
        """By stage, in the order in which they began."""
        query = select(StepRow).where(StepRow.run_id == run_id).order_by(StepRow.started_at, StepRow.key)
        found: dict[str, list[StepResult]] = {}
        with self._database.read() as session:
            for row in session.scalars(query):
                found.setdefault(row.stage, []).append(StepResult.model_validate_json(row.body))
        return found


class Stages:
    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, stage_key: str, run_id: str, result: StageResult, at: float | None = None) -> None:
        """What a stage of a run left, passed or not; the artifacts it names become known with it. A `stage_key` of '' is never
        found again."""
        now = time.time() if at is None else at
        with self._database.write(ARTIFACTS_LOCK) as session:
            _store(session, stage_key, run_id, result, now)

    def find(self, stage_key: str) -> StageResult | None:
        """The newest result of an equal stage that passed, if all that it left is still there."""
        with self._database.read() as session:
            row = _passed(session, stage_key)
            return StageResult.model_validate_json(row.body) if row else None

    def adopt(self, stage_key: str, run_id: str, stage: str) -> StageResult | None:
        """As `find`, and makes the result the run's own: its steps, findings, tests and coverage become evidence of `run_id`, so
        that gates see them, and its artifacts count as used now, so that retention keeps them."""
        now = time.time()
        with self._database.write(ARTIFACTS_LOCK) as session:
            row = _passed(session, stage_key)
            if row is None:
                return None
            result = StageResult.model_validate_json(row.body)
            for ref in _left(result):
                session.execute(update(ArtifactRow).where(ArtifactRow.digest == ref.digest).values(used_at=now))
            if (row.run_id, row.stage) != (run_id, stage):
                _copy_evidence(session, row, run_id, stage)
                _store(session, stage_key, run_id, result.model_copy(update={"stage": stage}), now)
            return result

    def of_run(self, run_id: str) -> list[StageResult]:
        """In the order in which they were stored."""
        query = select(StageRow.body).where(StageRow.run_id == run_id).order_by(StageRow.at, StageRow.stage)
        with self._database.read() as session:
            return [StageResult.model_validate_json(body) for body in session.scalars(query)]

    def steps(self, run_id: str) -> dict[str, list[StepResult]]:
        """By stage, in the order in which they began."""
        return Steps(self._database).of_run(run_id)


def forget_results_with(session: Session, digest: str) -> None:
    """Results that refer to an artifact that is gone are shown still, but never reused."""
    named = select(StageArtifactRow.run_id, StageArtifactRow.stage).where(StageArtifactRow.digest == digest)
    for run_id, stage in session.execute(named).all():
        session.execute(update(StageRow).where(StageRow.run_id == run_id, StageRow.stage == stage).values(stage_key=""))


def _left(result: StageResult) -> list[ArtifactRef]:
    return [*result.artifacts, *([result.layer] if result.layer else [])]


def _passed(session: Session, stage_key: str) -> StageRow | None:
    if not stage_key:
        return None
    query = select(StageRow).where(StageRow.stage_key == stage_key, StageRow.status == Status.passed.value)
    return session.scalars(query.order_by(StageRow.at.desc()).limit(1)).first()


def _store(session: Session, stage_key: str, run_id: str, result: StageResult, at: float) -> None:
    key = {"run_id": run_id, "stage": result.stage}
    row = {**key, "stage_key": stage_key, "status": result.status.value, "at": at, "body": result.model_dump_json()}
    upsert(session, StageRow, row, ["run_id", "stage"])
    session.execute(delete(StageArtifactRow).filter_by(**key))
    left = {ref.digest: ref for ref in _left(result)}
    upsert(
        session, StageArtifactRow, [{**key, "digest": digest} for digest in left], ["run_id", "stage", "digest"], insert_only=True
    )
    run = session.get(RunRow, run_id)
    for ref in left.values():
        metadata = ArtifactMetadata(repo=run.repo if run else "", run_id=run_id, stage=result.stage, created_at=at)
        upsert(session, ArtifactRow, artifact_row(ref, metadata, at), ARTIFACT_KEYS, insert_only=True)


def artifact_row(ref: ArtifactRef, metadata: ArtifactMetadata, now: float) -> dict[str, Any]:
    return {
        "digest": ref.digest,
        "run_id": metadata.run_id,
        "name": ref.name,
        "kind": ref.kind,
        "repo": metadata.repo,
        "describes": metadata.describes,
        "created_at": metadata.created_at or now,
        "used_at": now,
        "ref": ref.model_dump_json(),
        "body": metadata.model_copy(update={"created_at": metadata.created_at or now}).model_dump_json(),
    }


def _copy_evidence(session: Session, source: StageRow, run_id: str, stage: str) -> None:
    for table in reversed(_EVIDENCE):
        session.execute(delete(table).filter_by(run_id=run_id, stage=stage))
    for table in _EVIDENCE:
        columns = table.__table__.columns
        values = [{"run_id": literal(run_id), "stage": literal(stage)}.get(column.name, column) for column in columns]
        rows = select(*values).where(columns["run_id"] == source.run_id, columns["stage"] == source.stage)
        session.execute(insert(table).from_select([column.name for column in columns], rows))
