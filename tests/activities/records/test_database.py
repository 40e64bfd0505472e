"""Connections, transactions, and what their failures are called."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from activities.records import Records, database
from activities.records.database import Database, normal_url
from activities.records.migrate import upgrade
from pipelines.errors import Busy, SettingsError, Unavailable
from tests.support.ports import free_port
from tests.support.records import audit, run


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("postgresql://me:secret@host/db", "postgresql+psycopg://me:secret@host/db"),
        ("postgres://host/db", "postgresql+psycopg://host/db"),
        ("postgresql+psycopg://host/db", "postgresql+psycopg://host/db"),
        ("sqlite:////var/lib/x.sqlite", "sqlite:////var/lib/x.sqlite"),
    ],
)
def test_urls_get_the_driver_that_is_there(given: str, normal: str) -> None:
    assert normal_url(given) == normal


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "postgresql+asyncpg://host/db", "nonsense", "sqlite://", "sqlite:///:memory:", ""]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        normal_url(url)


def test_a_server_that_does_not_answer_is_unavailable_and_no_password_is_told() -> None:
    records = Records(f"postgresql://me:topsecret@127.0.0.1:{free_port()}/db")
    with pytest.raises(Unavailable) as failure:
        records.runs.get("x")
    assert "topsecret" not in str(failure.value)
    assert "SWITCHYARD_DATABASE_URL" in failure.value.remedy
    records.close()


def test_a_file_that_is_no_database_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("this is not a database, and it is long enough to be looked at " * 20)
    records = Records(f"sqlite:///{tmp_path}/x.sqlite")
    with pytest.raises(Unavailable, match="not a database"):
        records.runs.get("x")
    records.close()
    with pytest.raises(Unavailable, match="Move it away"):
        upgrade(f"sqlite:///{tmp_path}/x.sqlite")


def test_a_failed_block_leaves_nothing(records: Records) -> None:
    with pytest.raises(ZeroDivisionError), records.database.write() as session:
        session.execute(text("DELETE FROM alembic_version"))
        raise ZeroDivisionError
    with records.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_sqlite_is_safe_and_waits(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/r.sqlite"
    upgrade(url)
    found = Database(url)
    with found.read() as session:
        pragmas = {name: session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "synchronous")}
        assert session.scalar(text("PRAGMA busy_timeout")) == database.BUSY_SECONDS * 1000
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2}
    found.close()


def test_a_writer_that_never_ends_makes_others_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path}/r.sqlite"
    upgrade(url)
    records = Records(url)
    holder = sqlite3.connect(tmp_path / "r.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy):
        records.audit.append(audit("a"))
    assert records.audit.recent() == [], "readers are not held up"
    holder.execute("ROLLBACK")
    holder.close()
    assert records.audit.append(audit("a")).seq == 1
    records.close()


def test_many_threads_write_and_read_at_once(records: Records) -> None:
    def work(number: int) -> int:
        records.runs.upsert(run(f"r{number}", started_at=float(number)))
        return len(records.runs.recent(100))

    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(work, range(48)))
    assert max(counts) == 48
    assert len(records.runs.recent(100)) == 48
