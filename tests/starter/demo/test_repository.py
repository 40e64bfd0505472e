"""The demo's service is real: its tests pass in every version, and only traffic shows what the bad one does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from git import Repo

from pipelines.load import load_pipeline
from starter.demo.repository import BRANCH, Repository

STAGES = [
    "checkout", "dependency-install", "code-quality", "unit-tests", "security-scan", "build-artifacts",
    "environment-preparation", "integration-tests", "staging-deploy", "end-to-end-tests", "production-deploy",
    "post-deployment-validation",
]  # fmt: skip
MANY = """
from app.prices import Book
from app.server import answer
book = Book()
print([answer(book, f"/quote?symbol=ACME&order={order}")[0] for order in range(30)].count(500))
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    made = Repository(tmp_path_factory.mktemp("demo") / "quotes")
    made.first()
    return made


def _run(repository: Repository, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=repository.path, capture_output=True, text=True)


def _errors(repository: Repository) -> int:
    return int(_run(repository, "-c", MANY).stdout)


def test_the_pipeline_has_the_twelve_stages_in_order(repository: Repository) -> None:
    pipeline = load_pipeline((repository.path / ".switchyard.yml").read_text(), ".switchyard.yml")
    assert list(pipeline.stages) == STAGES
    rollout = pipeline.stages["production-deploy"].rollout
    assert rollout and rollout.strategy == "canary"
    assert next(step.set_weight for step in rollout.steps) == 20


def test_every_version_passes_its_tests_and_only_the_bad_one_fails_under_traffic(repository: Repository) -> None:
    heads = [Repo(repository.path).head.commit.hexsha]
    errors = [_errors(repository)]
    for commit in (repository.good, repository.bad):
        heads.append(commit())
        errors.append(_errors(repository))
        tests = _run(repository, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit")
        assert tests.returncode == 0, tests.stdout
    assert errors == [0, 0, 5]
    commits = [commit.hexsha for commit in Repo(repository.path).iter_commits(BRANCH)]
    assert commits == heads[::-1]


def test_the_checks_of_its_pipeline_find_nothing(repository: Repository) -> None:
    for words in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("bandit", "-q", "-r", "app")):
        done = _run(repository, "-m", *words)
        assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_but_the_repository_is_written(repository: Repository) -> None:
    assert [path.name for path in Path(repository.path.parent).iterdir()] == ["quotes"]
