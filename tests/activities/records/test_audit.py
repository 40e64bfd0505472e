"""The audit trail as it is written and read."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import rfc8785
from sqlalchemy import text

from activities.records import Records, Witness
from activities.records.audit_chain import GENESIS
from pipelines.errors import Conflict
from tests.support.records import audit

ROOT = Path(__file__).resolve().parents[3]

WRITER = textwrap.dedent(
    """
    import sys
    from activities.records import Records
    from pipelines.messages.common import Audit

    url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    records = Records(url)
    for number in range(count):
        records.audit.append(Audit(key=f"{name}-{number}", subject=name, action="test.done", actor=name))
        print(number, flush=True)
    """
)


def writer(url: str, name: str, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", WRITER, url, name, str(count)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_an_empty_trail_is_whole(records: Records) -> None:
    report = records.audit.verify()
    assert (report.ok, report.count, report.head) == (True, 0, GENESIS)
    assert records.audit.head() == Witness(count=0, hash=GENESIS)


def test_each_record_is_sealed_with_the_one_before_it(records: Records) -> None:
    first = records.audit.append(audit("a", evidence={"digest": "sha256:1"}), at=12.5)
    second = records.audit.append(audit("b"), at=13.0)
    canonical = rfc8785.dumps({"at": 12.5, **audit("a", evidence={"digest": "sha256:1"}).model_dump()})
    assert first.previous == GENESIS
    assert first.hash == hashlib.sha256(GENESIS.encode() + canonical).hexdigest()
    assert (second.seq, second.previous) == (2, first.hash)
    assert records.audit.head() == Witness(count=2, hash=second.hash)


def test_the_same_key_is_one_record(records: Records) -> None:
    first = records.audit.append(audit("a"))
    assert records.audit.append(audit("a")) == first
    assert records.audit.verify().count == 1


def test_a_key_cannot_be_given_another_content(records: Records) -> None:
    records.audit.append(audit("a", reason="tests passed"))
    with pytest.raises(Conflict, match="audit record a exists"):
        records.audit.append(audit("a", reason="tests failed"))
    assert [entry.audit.reason for entry in records.audit.recent()] == ["tests passed"]


@pytest.mark.parametrize("reason", ["nul \0 inside", "ünïcödé 🚂", 'quote " and \\ and \n', "\\u0000"])
def test_any_text_can_be_recorded_and_verified(records: Records, reason: str) -> None:
    records.audit.append(audit("a", reason=reason, evidence={"why": reason}))
    again = records.audit.append(audit("a", reason=reason, evidence={"why": reason}))
    assert again.seq == 1
    assert "\0" not in again.audit.reason
    assert records.audit.verify().ok


def test_text_without_nul_comes_back_unchanged(records: Records) -> None:
    records.audit.append(audit("a", reason="a \\u0000 written out"))
    assert records.audit.recent()[0].audit.reason == "a \\u0000 written out"


def test_records_of_one_workflow_are_told_by_their_keys(records: Records) -> None:
    for key in ("rollout/a/1:x:1", "rollout/a/10:x:1", "rollout/a/1:y:1", "rollout_a/1:z:1", "rollout/a/1:y:2"):
        records.audit.append(audit(key))
    newest = [entry.audit.key for entry in records.audit.by_workflow("rollout/a/1", limit=2)]
    assert newest == ["rollout/a/1:y:1", "rollout/a/1:y:2"]
    assert len(records.audit.by_workflow("rollout/a/1")) == 3
    assert [entry.audit.key for entry in records.audit.by_workflow("rollout_a/1")] == ["rollout_a/1:z:1"]


def test_records_of_one_subject_oldest_first(records: Records) -> None:
    for number in range(4):
        records.audit.append(audit(f"w{number}"))
        records.audit.append(audit(f"o{number}", subject="other"))
    assert [entry.audit.key for entry in records.audit.of("prod/web", limit=2)] == ["w2", "w3"]
    assert [entry.audit.key for entry in records.audit.recent(2)] == ["o3", "w3"]


def test_threads_append_one_chain(records: Records) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: records.audit.append(audit(f"k{number % 30}")), range(60)))
    report = records.audit.verify()
    assert (report.ok, report.count) == (True, 30)


def test_processes_append_one_chain_and_lose_nothing(ready_url: str, records: Records) -> None:
    processes = [writer(ready_url, f"p{number}", 25) for number in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    for process in processes:
        assert process.stdout
        process.stdout.close()
    report = records.audit.verify()
    assert (report.ok, report.count) == (True, 75)


def test_a_killed_writer_leaves_a_whole_chain_with_all_that_it_was_told_is_written(ready_url: str, records: Records) -> None:
    for round_number in range(3):
        name = f"killed{round_number}"
        process = writer(ready_url, name, 100_000)
        assert process.stdout
        seen = [process.stdout.readline() for _ in range(10 + round_number)]
        os.kill(process.pid, signal.SIGKILL)
        seen += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        told = {f"{name}-{line.strip()}" for line in seen if line.endswith("\n")}
        _wait_for_quiet(records)
        assert told <= {entry.audit.key for entry in records.audit.of(name, limit=100_000)}
    report = records.audit.verify()
    assert report.ok, report.problems
    records.audit.append(audit("after"))
    assert records.audit.verify().ok


def _wait_for_quiet(records: Records) -> None:
    """PostgreSQL may finish what a killed client had sent."""
    deadline = time.monotonic() + 10
    before = -1
    while (now := records.audit.head().count) != before and time.monotonic() < deadline:
        before = now
        time.sleep(0.05)


def test_verifying_while_others_append_finds_nothing_wrong(records: Records) -> None:
    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(records.audit.append, audit(f"k{number}")) for number in range(120)]
        reports = [records.audit.verify()]
        while not all(write.done() for write in writes):
            reports.append(records.audit.verify([records.audit.head()]))
    assert [report.problems for report in reports if not report.ok] == []
    assert records.audit.verify().count == 120


def test_a_witness_from_before_still_agrees(records: Records) -> None:
    records.audit.append(audit("a"))
    early = records.audit.head()
    records.audit.append(audit("b"))
    assert records.audit.verify([early, records.audit.head()]).ok


def test_a_rewritten_chain_contradicts_the_witness(records: Records) -> None:
    records.audit.append(audit("a"))
    witness = records.audit.head()
    with records.database.write() as session:
        session.execute(text("DELETE FROM audit"))
        session.execute(text("DELETE FROM audit_head"))
    records.audit.append(audit("z"))
    assert records.audit.verify().ok, "by itself a chain written anew is whole"
    assert [problem.kind for problem in records.audit.verify([witness]).problems] == ["witness"]


@pytest.mark.parametrize(
    ("column", "value"),
    [("reason", "nothing to see"), ("actor", "mallory"), ("at", 1.0), ("evidence", json.dumps({"a": "b"})), ("evidence", "{"),
     ("evidence", "[]"), ("key", "other"), ("hash", "f" * 64), ("previous", "e" * 64)],
)  # fmt: skip
def test_a_changed_column_is_found_in_its_record(records: Records, column: str, value: object) -> None:
    for number in range(5):
        records.audit.append(audit(f"k{number}"))
    with records.database.write() as session:
        session.execute(text(f"UPDATE audit SET {column} = :value WHERE seq = 3"), {"value": value})
    report = records.audit.verify()
    assert not report.ok
    assert ("changed", 3) in {(problem.kind, problem.seq) for problem in report.problems}
    assert {problem.seq for problem in report.problems} <= {2, 3}
