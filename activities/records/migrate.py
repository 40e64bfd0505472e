"""Makes the tables and brings them up to date. Apart from the rest, because Alembic takes its time to load."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from activities.records.database import BUSY_SECONDS, Database, normal_url
from pipelines.errors import Conflict, Unavailable

_LOCK = 0x53574944
"""PostgreSQL advisory lock of whoever migrates; any number that no other program takes."""


def upgrade(url: str) -> None:
    """Bring the database to the newest version; nothing happens when it is there. Several processes may do it at once, and one
    that is killed leaves the version that was. Raises Unavailable, or Conflict when a newer Switchyard has been here."""
    with _alone(url):
        database = Database(url)
        try:
            _migrate(database)
        finally:
            database.close()


def config() -> Config:
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return found


def _migrate(database: Database) -> None:
    settings = config()
    newest = ScriptDirectory.from_config(settings).get_current_head()
    with database.write() as session:
        connection = session.connection()
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return
        settings.attributes["connection"] = connection
        _run(settings)


def _run(settings: Config) -> None:
    try:
        command.upgrade(settings, "head")
    except CommandError as error:
        raise Conflict(f"the records were written by another version: {error}", "Update Switchyard here too") from None
    except DBAPIError as error:
        words = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
        raise Unavailable(f"the records cannot be brought up to date: {words}") from None


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """SQLite: a file that is locked, as switching to write-ahead logging cannot be waited for. The lock ends with its process."""
    parsed = make_url(normal_url(url))
    if not parsed.drivername.startswith("sqlite"):
        yield
        return
    file = Path(str(parsed.database))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _log_ahead(file)
        yield


def _log_ahead(file: Path) -> None:
    """Readers and the one writer do not hold each other up. The file remembers it."""
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise Unavailable(
            f"{file} cannot be used for the records: {error}", "Move it away, or check SWITCHYARD_DATABASE_URL"
        ) from None
