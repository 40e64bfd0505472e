"""The tables. What is searched for has a column; `body` is the whole message as JSON, so that a field added to a message needs no
migration. Names that tools give (test cases, rules) are in no index: PostgreSQL refuses long keys. Times are Unix seconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Dialect, Double, ForeignKeyConstraint, Index, Integer, MetaData, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is exactly INTEGER."""


def clean(value: str) -> str:
    """Text that every database takes: PostgreSQL has no NUL character."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


class Words(TypeDecorator[str]):
    """Text from tools, where a NUL may turn up."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return clean(value) if isinstance(value, str) else value


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Words(), float: Double(), int: Number, bool: Boolean()}


class AuditRow(Base):
    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(unique=True)
    at: Mapped[float]
    subject: Mapped[str] = mapped_column(index=True)
    action: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    evidence: Mapped[str]
    previous: Mapped[str]
    hash: Mapped[str]


class AuditHeadRow(Base):
    """One row: what the chain must end with."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    hash: Mapped[str]


class RunRow(Base):
    __tablename__ = "runs"
    __table_args__ = (Index("ix_runs_repo_started_at", "repo", "started_at"),)

    run_id: Mapped[str] = mapped_column(primary_key=True)
    execution: Mapped[str]
    repo: Mapped[str]
    branch: Mapped[str]
    sha: Mapped[str] = mapped_column(index=True)
    service: Mapped[str]
    pipeline: Mapped[str]
    status: Mapped[str] = mapped_column(index=True)
    final: Mapped[bool]
    started_at: Mapped[float] = mapped_column(index=True)
    finished_at: Mapped[float | None]
    body: Mapped[str]


class StageRow(Base):
    __tablename__ = "stages"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    stage_key: Mapped[str] = mapped_column(index=True)
    status: Mapped[str]
    at: Mapped[float]
    body: Mapped[str]


class StageArtifactRow(Base):
    """What a stage's result refers to: when that is removed, the result must not be reused."""

    __tablename__ = "stage_artifacts"
    __table_args__ = (ForeignKeyConstraint(["run_id", "stage"], ["stages.run_id", "stages.stage"], ondelete="CASCADE"),)

    run_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True, index=True)


class StepRow(Base):
    __tablename__ = "steps"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[float]
    body: Mapped[str]


class ReportRow(Base):
    """A tool that reported (`unavailable` ''), with or without findings, or one that could not work, and why."""

    __tablename__ = "reports"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    tool: Mapped[str] = mapped_column(primary_key=True)
    unavailable: Mapped[str]


class FindingRow(Base):
    __tablename__ = "findings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "stage", "source", "tool"],
            ["reports.run_id", "reports.stage", "reports.source", "reports.tool"],
            ondelete="CASCADE",
        ),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    tool: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    severity: Mapped[str]
    fingerprint: Mapped[str]
    body: Mapped[str]


class CaseRow(Base):
    __tablename__ = "test_cases"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    suite: Mapped[str]
    name: Mapped[str]
    status: Mapped[str]
    body: Mapped[str]


class FlakyRow(Base):
    """That a test was flaky in a run: the history outlives the run's own test cases."""

    __tablename__ = "flaky_tests"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    suite: Mapped[str]
    name: Mapped[str]
    at: Mapped[float]


class CoverageRow(Base):
    __tablename__ = "coverage"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    percent: Mapped[float]


class ArtifactRow(Base):
    __tablename__ = "artifacts"
    __table_args__ = (Index("ix_artifacts_repo_name", "repo", "name"),)

    digest: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    repo: Mapped[str]
    describes: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[float]
    used_at: Mapped[float]
    ref: Mapped[str]
    body: Mapped[str]


class DeploymentRow(Base):
    __tablename__ = "deployments"
    __table_args__ = (Index("ix_deployments_environment_service_started_at", "environment", "service", "started_at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    environment: Mapped[str]
    service: Mapped[str]
    release_id: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str]
    run_id: Mapped[str] = mapped_column(index=True)
    status: Mapped[str]
    progress: Mapped[int]
    started_at: Mapped[float] = mapped_column(index=True)
    finished_at: Mapped[float | None]
    body: Mapped[str]


class EventRow(Base):
    """The outbox: `seq` rises in the order in which events were committed."""

    __tablename__ = "events"

    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(index=True)
    at: Mapped[float]
    body: Mapped[str]


class NotificationRow(Base):
    __tablename__ = "notifications"

    key: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(index=True)
    body: Mapped[str]


class DeliveryRow(Base):
    """A channel that has a notification already, so that a retry does not tell it again."""

    __tablename__ = "deliveries"
    __table_args__ = (ForeignKeyConstraint(["key"], ["notifications.key"], ondelete="CASCADE"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float]


class SampleRow(Base):
    """What was scraped of a place's proxy for one release at one time."""

    __tablename__ = "samples"

    place: Mapped[str] = mapped_column(primary_key=True)
    release_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(primary_key=True)
    payload: Mapped[str]
