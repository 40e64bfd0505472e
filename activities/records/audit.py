"""The audit trail: a chain of records, each sealed with the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable

import rfc8785
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.records.audit_chain import GENESIS, AuditReport, Link, Witness, examine
from activities.records.database import Database, upsert
from activities.records.tables import AuditHeadRow, AuditRow, clean
from pipelines.errors import Conflict
from pipelines.messages.common import Audit, Message

_HEAD = 1


class AuditEntry(Message):
    """A record as it is kept: `seq` counts from 1, `at` in Unix seconds, hashes as 64 hex digits."""

    seq: int
    at: float
    audit: Audit
    previous: str
    hash: str = Field(description="SHA-256 of `previous` followed by the record as canonical JSON (RFC 8785)")


def seal(previous: str, at: float, audit: Audit) -> str:
    """The hash of a record behind `previous`. Its place is not hashed: the chain itself is the place."""
    record = rfc8785.dumps({"at": at, **audit.model_dump(mode="json")})
    return hashlib.sha256(previous.encode() + record).hexdigest()


class AuditTrail:
    """Appends and verifies. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, audit: Audit, at: float | None = None) -> AuditEntry:
        """Add the record, or find it when its key is there. `at` defaults to now.

        Raises Conflict when the key is there with another content: what happened cannot be rewritten.
        """
        audit = _storable(audit)
        with self._database.write("audit") as session:
            known = session.scalar(select(AuditRow).where(AuditRow.key == audit.key))
            if known is None:
                return self._append(session, audit, time.time() if at is None else at)
            found = _entry(known)
        if found.audit != audit:
            raise Conflict(f"audit record {audit.key} exists with another content", "Give each fact a key of its own")
        return found

    @staticmethod
    def _append(session: Session, audit: Audit, at: float) -> AuditEntry:
        head = session.get(AuditHeadRow, _HEAD)
        count, previous = (head.count, head.hash) if head else (0, GENESIS)
        entry = AuditEntry(seq=count + 1, at=at, audit=audit, previous=previous, hash=seal(previous, at, audit))
        session.add(_row(entry))
        upsert(session, AuditHeadRow, {"id": _HEAD, "count": entry.seq, "hash": entry.hash}, ["id"])
        return entry

    def head(self) -> Witness:
        """Length and last hash of the chain now, to be kept where whoever can change the database cannot."""
        with self._database.read() as session:
            return _head(session) or Witness(count=0, hash=GENESIS)

    def of(self, subject: str, limit: int = 200) -> list[AuditEntry]:
        """The newest `limit` records about a subject, oldest first."""
        query = select(AuditRow).where(AuditRow.subject == subject).order_by(AuditRow.seq.desc()).limit(limit)
        with self._database.read() as session:
            return [_entry(row) for row in session.scalars(query)][::-1]

    def by_workflow(self, workflow_id: str, limit: int = 200) -> list[AuditEntry]:
        """The newest `limit` records that a workflow has written, in all its executions, oldest first."""
        mine = AuditRow.key.startswith(f"{workflow_id}:", autoescape=True)
        query = select(AuditRow).where(mine).order_by(AuditRow.seq.desc()).limit(limit)
        with self._database.read() as session:
            return [_entry(row) for row in session.scalars(query)][::-1]

    def recent(self, limit: int = 100) -> list[AuditEntry]:
        """The newest records of all subjects, newest first."""
        with self._database.read() as session:
            return [_entry(row) for row in session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit))]

    def verify(self, witnesses: Iterable[Witness] = ()) -> AuditReport:
        """Recompute the whole chain and compare it with its head and with what witnesses kept elsewhere have seen."""
        with self._database.read() as session:
            rows = session.scalars(select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000))
            links = [_link(row) for row in rows]
            return examine(links, _head(session), list(witnesses))


def _head(session: Session) -> Witness | None:
    row = session.get(AuditHeadRow, _HEAD)
    return Witness(count=row.count, hash=row.hash) if row else None


def _storable(audit: Audit) -> Audit:
    """As the database will give it back, so that the hash holds."""
    texts = {name: clean(value) for name, value in audit.model_dump(exclude={"evidence"}).items()}
    return Audit(**texts, evidence={clean(name): clean(value) for name, value in audit.evidence.items()})


def _row(entry: AuditEntry) -> AuditRow:
    fields = entry.audit.model_dump(exclude={"evidence"})
    evidence = json.dumps(entry.audit.evidence, sort_keys=True)
    return AuditRow(seq=entry.seq, at=entry.at, evidence=evidence, previous=entry.previous, hash=entry.hash, **fields)


def _entry(row: AuditRow) -> AuditEntry:
    audit = Audit(
        key=row.key,
        subject=row.subject,
        action=row.action,
        actor=row.actor,
        reason=row.reason,
        evidence=json.loads(row.evidence),
    )
    return AuditEntry(seq=row.seq, at=row.at, audit=audit, previous=row.previous, hash=row.hash)


def _link(row: AuditRow) -> Link:
    """A record that can no longer be read at all counts as changed."""
    try:
        entry = _entry(row)
        sound = seal(row.previous, row.at, entry.audit) == row.hash
    except ValueError:
        sound = False
    return Link(row.seq, row.key, row.previous, row.hash, sound)
