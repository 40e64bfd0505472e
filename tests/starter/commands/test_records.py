"""audit verify, audit log, findings, dora: on real records."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import text

from activities.records import Records
from activities.records.migrate import upgrade
from pipelines.layout import Layout
from pipelines.messages.common import Audit
from pipelines.messages.notify import DeploymentRecord
from pipelines.messages.quality import Finding
from tests.starter.commands.conftest import Cli, data


@pytest.fixture
def records(state_dir: Path) -> Records:
    """Three audit records, as a worker would have written them."""
    state_dir.mkdir(parents=True)
    url = f"sqlite:///{Layout(state_dir).database}"
    upgrade(url)
    made = Records(url)
    for number in range(3):
        made.audit.append(Audit(key=f"k{number}", subject="run/1", action="run.started", actor="ada", reason=f"because {number}"))
    return made


def test_a_whole_chain_is_status_0(cli: Cli, records: Records) -> None:
    said = cli("audit", "verify")
    assert (said.exit_code, said.stdout.startswith("the audit trail is whole: 3 records")) == (0, True)
    report = data(cli("audit", "verify", "--json"))
    assert (report["ok"], report["count"], report["problems"]) == (True, 3, [])


def test_a_changed_record_is_status_1_and_named(cli: Cli, records: Records) -> None:
    with records.database.engine.begin() as connection:
        table = connection.execute(text("select name from sqlite_master where name like 'audit%' order by length(name)")).scalar()
        changed = connection.execute(text(f"update {table} set actor = 'eve' where seq = 2"))
        assert changed.rowcount == 1
    said = cli("audit", "verify")
    assert said.exit_code == 1
    assert "BROKEN" in said.stdout
    assert "changed at 2" in said.stdout


def test_a_cut_end_shows_by_the_witness(cli: Cli, records: Records, tmp_path: Path) -> None:
    witness = tmp_path / "witness.json"
    witness.write_text('{"count": 9, "hash": "' + "0" * 64 + '"}')
    assert cli("audit", "verify", "--witness", str(witness)).exit_code == 1
    witness.write_text("not a witness")
    broken = cli("audit", "verify", "--witness", str(witness))
    assert (broken.exit_code, "does not hold a witness" in broken.stderr) == (1, True)


def test_the_log_is_newest_first_and_by_subject(cli: Cli, records: Records) -> None:
    records.audit.append(Audit(key="other", subject="run/2", action="run.aborted", actor="bob"))
    assert [entry["audit"]["key"] for entry in data(cli("audit", "log", "--json"))] == ["other", "k2", "k1", "k0"]
    only = data(cli("audit", "log", "run/2", "--json"))
    assert [entry["audit"]["actor"] for entry in only] == ["bob"]
    assert "because 2" in cli("audit", "log").stdout


def test_without_records_nothing_is_created(cli: Cli, state_dir: Path) -> None:
    for command in (["audit", "verify"], ["dora"]):
        result = cli(*command)
        assert (result.exit_code, "there are no records yet" in result.stderr) == (2, True)
    assert not Layout(state_dir).database.exists()


def test_findings_worst_first(cli: Cli, records: Records, begin) -> None:
    asked = begin("wait")
    assert cli("findings", asked.workflow_id).stdout.strip() == "no findings"
    low = Finding(tool="ruff", rule="E1", severity="low", message="space", path="a.py", line=3, fingerprint="1")
    high = Finding(tool="bandit", rule="B1", severity="high", message="shell=True", path="b.py", line=9, fingerprint="2")
    records.findings.store(asked.workflow_id, "quality", [low, high], ["ruff", "bandit"])
    lines = cli("findings", asked.workflow_id).stdout.splitlines()
    assert lines[1].split() == ["high", "bandit", "B1", "b.py:9", "shell=True"]
    assert lines[2].split()[0] == "low"
    assert {each["rule"] for each in data(cli("findings", asked.workflow_id, "--stage", "quality", "--json"))} == {"E1", "B1"}
    assert data(cli("findings", asked.workflow_id, "--stage", "other", "--json")) == []


def test_dora_figures_of_the_last_days(cli: Cli, records: Records) -> None:
    now = time.time()
    for number, (environment, age) in enumerate([("production", 10), ("staging", 20), ("production", 40 * 86400)]):
        ended = now - age
        records.deployments.upsert(
            DeploymentRecord(
                key=f"rollout/{environment}/shop/{number}", environment=environment, service="shop", release_id=f"r{number}",
                digest="sha256:0", status="promoted", started_at=ended - 5, finished_at=ended, committed_at=ended - 65,
            )
        )  # fmt: skip
    [production] = data(cli("dora", "--environment", "production", "--json"))
    assert (production["deployments"], round(production["lead_time"])) == (1, 65)
    table = cli("dora").stdout.splitlines()
    assert table[1].split()[:3] == ["production", "shop", "1"]
    assert "1 min 05 s" in table[1]
    assert cli("dora", "--days", "0.01", "-e", "nowhere").stdout.strip() == "no rollout has ended in that time"


def test_a_forgotten_run_is_shown_from_the_records(cli: Cli, records: Records) -> None:
    from pipelines.messages.common import Status
    from pipelines.messages.notify import RunRecord

    run_id = "github/acme/old/" + "a" * 40 + "/default"
    record = RunRecord(run_id=run_id, execution="x", repo="acme/old", sha="a" * 40, status=Status.passed, title="long ago")
    records.runs.upsert(record)
    assert "long ago" in cli("show", run_id).stdout
