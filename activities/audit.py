"""Records that workflows ask for: the audit trail, runs and deployments."""

from __future__ import annotations

from pathlib import Path

from activities.base import implements
from activities.records import Records, Witness
from activities.records.witness import write_witness
from pipelines.messages.common import Audit, Nothing
from pipelines.messages.notify import DeploymentRecord, RunRecord
from pipelines.ports import AUDIT, RECORD_DEPLOYMENT, RECORD_RUN


class Recorder:
    """Implements AUDIT, RECORD_RUN and RECORD_DEPLOYMENT. `witness` is the file that bears witness of the audit chain."""

    def __init__(self, records: Records, witness: Path) -> None:
        self._records = records
        self._witness = witness

    @implements(AUDIT)
    def audit(self, audit: Audit) -> Nothing:
        """Raises Conflict when the key has another content, Unavailable or Busy when the records do not answer."""
        entry = self._records.audit.append(audit)
        write_witness(self._witness, Witness(count=entry.seq, hash=entry.hash))
        return Nothing()

    @implements(RECORD_RUN)
    def record_run(self, record: RunRecord) -> Nothing:
        self._records.runs.upsert(record)
        return Nothing()

    @implements(RECORD_DEPLOYMENT)
    def record_deployment(self, record: DeploymentRecord) -> Nothing:
        self._records.deployments.upsert(record)
        return Nothing()
