"""Which artifacts there are, where they come from, and when they were last used."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update

from activities.records.database import Database, upsert
from activities.records.stages import ARTIFACT_KEYS, ARTIFACTS_LOCK, artifact_row, forget_results_with
from activities.records.tables import ArtifactRow
from pipelines.messages.artifacts import ArtifactMetadata, StoredArtifact
from pipelines.messages.common import ArtifactRef


class Artifacts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, ref: ArtifactRef, metadata: ArtifactMetadata | None = None, now: float | None = None) -> None:
        """Make an artifact known, or known better. The same bytes may be artifacts of several runs and names."""
        row = artifact_row(ref, metadata or ArtifactMetadata(), time.time() if now is None else now)
        with self._database.write(ARTIFACTS_LOCK) as session:
            upsert(session, ArtifactRow, row, ARTIFACT_KEYS, keep=["created_at"])

    def get(self, digest: str) -> StoredArtifact | None:
        """What was said of it last."""
        query = select(ArtifactRow).where(ArtifactRow.digest == digest).order_by(ArtifactRow.used_at.desc()).limit(1)
        with self._database.read() as session:
            row = session.scalars(query).first()
            return _stored(row) if row else None

    def list(
        self,
        *,
        repo: str | None = None,
        name: str | None = None,
        kind: str | None = None,
        run_id: str | None = None,
        describes: str | None = None,
        limit: int | None = None,
    ) -> Sequence[StoredArtifact]:
        """Newest first. `describes`: only what is about the artifact with this digest."""
        exact = {
            ArtifactRow.repo: repo, ArtifactRow.name: name, ArtifactRow.kind: kind,
            ArtifactRow.run_id: run_id, ArtifactRow.describes: describes,
        }  # fmt: skip
        query = select(ArtifactRow).where(*[column == value for column, value in exact.items() if value is not None])
        query = query.order_by(ArtifactRow.created_at.desc(), ArtifactRow.digest, ArtifactRow.run_id).limit(limit)
        with self._database.read() as session:
            return [_stored(row) for row in session.scalars(query)]

    def touch(self, digest: str, now: float | None = None) -> bool:
        """It is used now. False: it is not known."""
        used = time.time() if now is None else now
        with self._database.write(ARTIFACTS_LOCK) as session:
            known = session.scalar(select(func.count()).where(ArtifactRow.digest == digest))
            session.execute(update(ArtifactRow).where(ArtifactRow.digest == digest).values(used_at=used))
            return bool(known)

    def remove(self, digest: str, unused_since: float | None = None) -> bool:
        """Forget an artifact, and never again reuse a stage result that refers to it. Nothing happens, and the answer is False,
        when it was used after `unused_since` (Unix seconds)."""
        with self._database.write(ARTIFACTS_LOCK) as session:
            used = session.scalar(select(func.max(ArtifactRow.used_at)).where(ArtifactRow.digest == digest))
            if used is not None and unused_since is not None and used > unused_since:
                return False
            session.execute(delete(ArtifactRow).where(ArtifactRow.digest == digest))
            forget_results_with(session, digest)
            return True


def _stored(row: ArtifactRow) -> StoredArtifact:
    metadata = ArtifactMetadata.model_validate_json(row.body).model_copy(update={"created_at": row.created_at})
    return StoredArtifact(ref=ArtifactRef.model_validate_json(row.ref), metadata=metadata, used_at=row.used_at)
