"""A repository, a run of it, and two hosts that share records and artifacts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.records import Records
from activities.records.migrate import upgrade
from activities.workspace import StageWorkspaces
from pipelines.messages.common import RunRequest
from tests.support.repos import Repo
from tests.support.stages import host, request_of


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "origin")
    repo.commit({"app.py": "print(1)\n", "lib/util.py": "x = 1\n", "requirements.txt": "six\n", ".gitignore": "out/\n"})
    return repo


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    url = f"sqlite:///{tmp_path}/records.sqlite"
    upgrade(url)
    records = Records(url)
    yield records
    records.close()


@pytest.fixture
def here(tmp_path: Path, records: Records) -> StageWorkspaces:
    return host(tmp_path / "host-a", tmp_path, records)


@pytest.fixture
def there(tmp_path: Path, records: Records) -> StageWorkspaces:
    return host(tmp_path / "host-b", tmp_path, records, "b")


@pytest.fixture
def run(repo: Repo) -> RunRequest:
    return request_of(repo)
