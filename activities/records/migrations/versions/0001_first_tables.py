"""The first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("repo", sa.Text(), nullable=False),
        sa.Column("describes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "run_id", "name", "kind", name="pk_artifacts"),
    )
    op.create_index("ix_artifacts_describes", "artifacts", ["describes"])
    op.create_index("ix_artifacts_repo_name", "artifacts", ["repo", "name"])

    op.create_table(
        "audit",
        sa.Column("seq", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sa.UniqueConstraint("key", name="uq_audit_key"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])

    op.create_table(
        "audit_head",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("count", _NUMBER, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.create_table(
        "coverage",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("percent", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "stage", "source", name="pk_coverage"),
    )
    op.create_table(
        "deployments",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("progress", _NUMBER, nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_deployments"),
    )
    op.create_index("ix_deployments_environment_service_started_at", "deployments", ["environment", "service", "started_at"])
    op.create_index("ix_deployments_release_id", "deployments", ["release_id"])
    op.create_index("ix_deployments_run_id", "deployments", ["run_id"])
    op.create_index("ix_deployments_started_at", "deployments", ["started_at"])

    op.create_table(
        "events",
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
    )
    op.create_index("ix_events_subject", "events", ["subject"])
    op.create_index("ix_events_type", "events", ["type"])

    op.create_table(
        "flaky_tests",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "stage", "source", "number", name="pk_flaky_tests"),
    )
    op.create_table(
        "notifications",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_notifications"),
    )
    op.create_index("ix_notifications_at", "notifications", ["at"])

    op.create_table(
        "reports",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("unavailable", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "stage", "source", "tool", name="pk_reports"),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("repo", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("sha", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
    )
    op.create_index("ix_runs_repo_started_at", "runs", ["repo", "started_at"])
    op.create_index("ix_runs_sha", "runs", ["sha"])
    op.create_index("ix_runs_started_at", "runs", ["started_at"])
    op.create_index("ix_runs_status", "runs", ["status"])

    op.create_table(
        "samples",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", "release_id", "at", name="pk_samples"),
    )
    op.create_table(
        "stages",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stage_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "stage", name="pk_stages"),
    )
    op.create_index("ix_stages_stage_key", "stages", ["stage_key"])

    op.create_table(
        "steps",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "stage", "key", name="pk_steps"),
    )
    op.create_table(
        "test_cases",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "stage", "source", "number", name="pk_test_cases"),
    )
    op.create_table(
        "deliveries",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["notifications.key"], name="fk_deliveries_notifications", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", "channel", name="pk_deliveries"),
    )
    op.create_table(
        "findings",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id", "stage", "source", "tool"],
            ["reports.run_id", "reports.stage", "reports.source", "reports.tool"],
            name="fk_findings_reports",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "stage", "source", "tool", "number", name="pk_findings"),
    )
    op.create_table(
        "stage_artifacts",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id", "stage"], ["stages.run_id", "stages.stage"], name="fk_stage_artifacts_stages", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "stage", "digest", name="pk_stage_artifacts"),
    )
    op.create_index("ix_stage_artifacts_digest", "stage_artifacts", ["digest"])


def downgrade() -> None:
    op.drop_index("ix_stage_artifacts_digest", "stage_artifacts")

    op.drop_table("stage_artifacts")
    op.drop_table("findings")
    op.drop_table("deliveries")
    op.drop_table("test_cases")
    op.drop_table("steps")
    op.drop_index("ix_stages_stage_key", "stages")

    op.drop_table("stages")
    op.drop_table("samples")
    op.drop_index("ix_runs_status", "runs")
    op.drop_index("ix_runs_started_at", "runs")
    op.drop_index("ix_runs_sha", "runs")
    op.drop_index("ix_runs_repo_started_at", "runs")

    op.drop_table("runs")
    op.drop_table("reports")
    op.drop_index("ix_notifications_at", "notifications")

    op.drop_table("notifications")
    op.drop_table("flaky_tests")
    op.drop_index("ix_events_type", "events")
    op.drop_index("ix_events_subject", "events")

    op.drop_table("events")
    op.drop_index("ix_deployments_started_at", "deployments")
    op.drop_index("ix_deployments_run_id", "deployments")
    op.drop_index("ix_deployments_release_id", "deployments")
    op.drop_index("ix_deployments_environment_service_started_at", "deployments")

    op.drop_table("deployments")
    op.drop_table("coverage")
    op.drop_table("audit_head")
    op.drop_index("ix_audit_subject", "audit")

    op.drop_table("audit")
    op.drop_index("ix_artifacts_repo_name", "artifacts")
    op.drop_index("ix_artifacts_describes", "artifacts")

    op.drop_table("artifacts")
