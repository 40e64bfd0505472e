"""What workflows have recorded, and the witness beside it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.audit import Recorder
from activities.records import Records
from activities.records.migrate import upgrade
from activities.records.witness import read_witness
from pipelines.errors import Conflict
from pipelines.messages.common import Nothing, Status
from tests.support.records import audit, deployment, run


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    upgrade(f"sqlite:///{tmp_path}/r.sqlite")
    records = Records(f"sqlite:///{tmp_path}/r.sqlite")
    yield records
    records.close()


@pytest.fixture
def recorder(records: Records, tmp_path: Path) -> Recorder:
    return Recorder(records, tmp_path / "witness.json")


def test_an_audit_record_is_written_once_and_witnessed(recorder: Recorder, records: Records, tmp_path: Path) -> None:
    for _ in range(3):
        assert ActivityEnvironment().run(recorder.audit, audit("a")) == Nothing()
    assert read_witness(tmp_path / "witness.json") == records.audit.head()
    assert records.audit.head().count == 1


def test_the_witness_gives_away_a_cut_end_with_a_forged_head(recorder: Recorder, records: Records, tmp_path: Path) -> None:
    for number in range(4):
        recorder.audit(audit(f"k{number}"))
    third = records.audit.recent()[1]
    with records.database.write() as session:
        session.execute(text("DELETE FROM audit WHERE seq > 3"))
        session.execute(text("UPDATE audit_head SET count = 3, hash = :hash"), {"hash": third.hash})
    assert records.audit.verify().ok
    witness = read_witness(tmp_path / "witness.json")
    assert witness
    assert [(problem.kind, problem.seq) for problem in records.audit.verify([witness]).problems] == [("truncated", 4)]


def test_many_at_once_leave_the_newest_witness(recorder: Recorder, records: Records, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: recorder.audit(audit(f"k{number}")), range(40)))
    witness = read_witness(tmp_path / "witness.json")
    assert witness == records.audit.head()
    assert records.audit.verify([witness]).ok


def test_another_content_under_the_same_key_is_refused(recorder: Recorder) -> None:
    recorder.audit(audit("a"))
    with pytest.raises(Conflict):
        recorder.audit(audit("a", actor="mallory"))


def test_runs_and_rollouts_are_recorded(recorder: Recorder, records: Records) -> None:
    ended = run(status=Status.passed, finished_at=5.0)
    assert recorder.record_run(ended) == recorder.record_run(ended) == Nothing()
    assert recorder.record_deployment(deployment()) == Nothing()
    assert records.runs.get(ended.run_id) == ended
    assert records.deployments.of("prod", "web") == [deployment()]
