"""Records on SQLite and on PostgreSQL: whatever asks for `url` or `records` runs on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.records import Records
from activities.records.migrate import upgrade
from tests.support.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.component("postgresql"))]


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/records.sqlite"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def ready_url(url: str) -> str:
    """A database with all tables."""
    upgrade(url)
    return url


@pytest.fixture
def records(ready_url: str) -> Iterator[Records]:
    records = Records(ready_url)
    yield records
    records.close()
