"""What Switchyard remembers: audit trail, runs, results, releases, events. Light, so that every process can read it.

The tables are made and brought up to date by `activities.records.migrate.upgrade(url)`, which the worker calls when it starts.
"""

from __future__ import annotations

from activities.records.artifacts import Artifacts
from activities.records.audit import AuditEntry, AuditTrail
from activities.records.audit_chain import AuditProblem, AuditReport, Witness
from activities.records.cases import Cases, Coverage, FlakyTest
from activities.records.database import Database
from activities.records.deployments import Deployments
from activities.records.findings import Findings
from activities.records.outbox import Notifications, Outbox, Published, Told
from activities.records.runs import Runs
from activities.records.samples import Sample, Samples
from activities.records.stages import Stages, Steps

__all__ = [
    "AuditEntry",
    "AuditProblem",
    "AuditReport",
    "FlakyTest",
    "Published",
    "Records",
    "Sample",
    "Told",
    "Witness",
]


class Records:
    """All records of one installation, by topic. `url` is SQLAlchemy's (SQLite file or PostgreSQL).

    Every method of every topic is one transaction of its own, may be called from any thread, and may be repeated. They raise
    Unavailable when the database does not answer and Busy when others hold it too long.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.audit = AuditTrail(self.database)
        self.runs = Runs(self.database)
        self.stages = Stages(self.database)
        self.steps = Steps(self.database)
        self.findings = Findings(self.database)
        self.tests = Cases(self.database)
        self.coverage = Coverage(self.database)
        self.artifacts = Artifacts(self.database)
        self.deployments = Deployments(self.database)
        self.outbox = Outbox(self.database)
        self.notifications = Notifications(self.database)
        self.samples = Samples(self.database)

    def close(self) -> None:
        self.database.close()
