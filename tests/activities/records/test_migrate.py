"""Tables are made and brought up to date, also by several processes at once, also when one is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from activities.records import Records
from activities.records.database import Database
from activities.records.migrate import upgrade
from activities.records.tables import Base
from pipelines.errors import Conflict, Unavailable
from tests.support.records import audit

ROOT = Path(__file__).resolve().parents[3]
UPGRADE = "import sys; from activities.records.migrate import upgrade; upgrade(sys.argv[1])"


def test_the_migrations_make_what_the_models_say(ready_url: str) -> None:
    database = Database(ready_url)
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    database.close()


def test_upgrading_again_changes_nothing(ready_url: str, records: Records) -> None:
    records.audit.append(audit("a"))
    upgrade(ready_url)
    assert records.audit.verify().count == 1


def test_several_processes_may_upgrade_at_once(url: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", UPGRADE, url], cwd=ROOT) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    records = Records(url)
    records.audit.append(audit("a"))
    assert records.audit.verify().ok
    records.close()


@pytest.mark.parametrize("delay", [0.0, 0.3, 0.6])
def test_a_killed_upgrade_can_be_done_again(url: str, delay: float) -> None:
    process = subprocess.Popen([sys.executable, "-c", UPGRADE, url], cwd=ROOT)
    deadline = time.monotonic() + delay
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    upgrade(url)
    database = Database(url)
    assert set(Base.metadata.tables) <= set(inspect(database.engine).get_table_names())
    database.close()


def test_an_upgrade_that_fails_leaves_no_table(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alembic.command.upgrade", _half)
    with pytest.raises(Unavailable, match="brought up to date"):
        upgrade(url)
    database = Database(url)
    assert "half" not in inspect(database.engine).get_table_names()
    database.close()


def _half(config: object, revision: str) -> None:
    connection = config.attributes["connection"]  # type: ignore[attr-defined]
    connection.execute(text("CREATE TABLE half (id INTEGER)"))
    connection.execute(text("SELECT * FROM nothing_of_this_name"))


def test_records_of_a_newer_version_are_left_alone(ready_url: str, records: Records) -> None:
    with records.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match="another version"):
        upgrade(ready_url)


def test_records_without_tables_say_what_to_do(url: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(exist_ok=True)
    records = Records(url)
    with pytest.raises(Unavailable, match="no tables yet. Start the worker"):
        records.audit.recent()
    with pytest.raises(Unavailable, match="no tables yet"):
        records.audit.append(audit("a"))
    records.close()
