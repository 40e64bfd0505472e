"""The database under the records: SQLite by default, PostgreSQL unchanged. One session, one transaction, per call."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from activities.records.tables import Base
from pipelines.errors import Busy, SettingsError, Unavailable

BUSY_SECONDS = 15.0
"""How long a writer waits for other writers before it gives up with Busy."""

_WRITES = "switchyard_writes"
_REMEDY = "Check SWITCHYARD_DATABASE_URL and that the database runs"


def normal_url(url: str) -> str:
    """PostgreSQL URLs without a driver get psycopg 3. Raises SettingsError for what is neither SQLite nor PostgreSQL."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError("the database URL cannot be read", "Write sqlite:////path/file or postgresql://host/name") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise SettingsError(f"databases of kind '{parsed.drivername}' are not supported", "Use SQLite or PostgreSQL")
    if parsed.drivername.startswith("sqlite") and parsed.database in (None, "", ":memory:"):
        raise SettingsError("the records cannot be kept in memory: several processes share them", "Name a file")
    return parsed.render_as_string(hide_password=False)


class Database:
    """Engine and transactions. Made once per process (and again after a fork); safe to use from many threads."""

    def __init__(self, url: str) -> None:
        self.url = normal_url(url)
        self.engine = _engine(self.url)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._reader = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent snapshot. Raises Unavailable or Busy, with no URL in the message."""
        with _translated(), Session(self._reader) as session, session.begin():
            yield session

    @contextmanager
    def write(self, lock: str = "") -> Iterator[Session]:
        """Committed when the block ends, undone when it raises. Writers of SQLite exclude each other; on PostgreSQL those that
        name the same `lock` do. Raises Unavailable or Busy."""
        with _translated(), Session(self._writer) as session, session.begin():
            if lock and not self.is_sqlite:
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": zlib.crc32(lock.encode())})
            yield session

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=20, max_overflow=40)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=30, connect_args={"connect_timeout": 10})


def _configure_sqlite(connection: Any, _record: Any) -> None:
    """The driver must not begin transactions by itself, or writers would begin as readers and fail when they upgrade."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout:
        raise Busy("all connections to the records are in use") from None
    except (DatabaseError, InterfaceError) as error:
        raise _ours(error) from None


def _ours(error: DBAPIError) -> Exception:
    words = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
    if "no such table" in words or type(error.orig).__name__ == "UndefinedTable":
        return Unavailable("the records have no tables yet", "Start the worker once, or run switchyard up")
    if "locked" in words or "busy" in words:
        return Busy("other processes keep the records locked")
    if isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError:
        return Unavailable(f"the records do not answer: {words}", _REMEDY)
    return error


def upsert(
    session: Session,
    table: type[Base],
    rows: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    *,
    keep: Sequence[str] = (),
    insert_only: bool = False,
    newer: Any = None,
) -> None:
    """INSERT, or update the row with the same `keys`: all columns but `keep`, nothing at all with `insert_only`.

    `newer(old, new)` gives the condition under which the stored row gives way; both are column collections.
    """
    many = [rows] if isinstance(rows, Mapping) else list(rows)
    if not many:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    target = Base.metadata.tables[table.__tablename__]
    statement = dialect.insert(target).values(many)
    if insert_only:
        session.execute(statement.on_conflict_do_nothing(index_elements=list(keys)))
        return
    changed = {name: statement.excluded[name] for name in many[0] if name not in (*keys, *keep)}
    condition: ColumnElement[bool] | None = newer(target.c, statement.excluded) if newer else None
    session.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changed, where=condition))
