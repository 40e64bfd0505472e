"""Resolving a run: the commit, its version, what it changes, and its pipeline, all read without a checkout."""

from pathlib import Path
from typing import Any

import pytest

from activities.clients.git import Mirrors
from activities.source import Source, pipeline_file, shipped
from pipelines.errors import SourceError, SpecError
from pipelines.messages.build import Resolved
from pipelines.spec import Pipeline
from tests.support.repos import Repo
from tests.support.stages import request_of

OWN = "name: own\nservice: shop\nstages: {}\n"


def pipeline(name: str) -> Pipeline:
    return Pipeline.model_validate({"name": name, "service": "shop", "stages": {"a": {"steps": [{"run": "true"}]}}})


class Loaded:
    """Stands in for loader and registry, and remembers what they were asked."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.asked: list[tuple[str, str]] = []
        self.known: set[str] = set()

    def load(self, text: str, file: str) -> Pipeline:
        self.texts.append((text, file))
        return pipeline("own")

    def registered(self, repo: str, name: str) -> tuple[Pipeline, str] | None:
        self.asked.append((repo, name))
        return (pipeline("registered"), "library:shop") if repo in self.known else None


@pytest.fixture
def loaded() -> Loaded:
    return Loaded()


@pytest.fixture
def source(tmp_path: Path, loaded: Loaded) -> Source:
    return Source(Mirrors(tmp_path / "mirrors"), loaded.load, loaded.registered)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "origin")
    repo.commit({".switchyard.yml": OWN, "a.txt": "1"}, "Add shop\n\nDetails")
    return repo


def resolved(source: Source, repo: Repo, **more: Any) -> Resolved:
    return source.resolve(request_of(repo, **more))


def test_the_commit_and_its_own_pipeline(source: Source, repo: Repo, loaded: Loaded) -> None:
    found = resolved(source, repo)
    assert found.sha == repo.git("rev-parse", "HEAD")
    assert found.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert (found.author, found.subject, found.committed_at) == ("Ann Author <ann@example.com>", "Add shop", 1767323045.0)
    assert (found.pipeline.name, found.pipeline_file) == ("own", ".switchyard.yml")
    assert loaded.texts == [(OWN, ".switchyard.yml")]
    assert loaded.asked == []


def test_the_pipeline_is_that_of_the_commit(source: Source, repo: Repo, loaded: Loaded) -> None:
    old = repo.git("rev-parse", "HEAD")
    repo.commit({".switchyard.yml": "later"})
    resolved(source, repo, sha=old)
    assert loaded.texts == [(OWN, ".switchyard.yml")]


def test_another_pipeline_of_the_repository(source: Source, repo: Repo, loaded: Loaded) -> None:
    repo.commit({".switchyard/nightly.yml": "night"})
    assert resolved(source, repo, pipeline="nightly").pipeline_file == ".switchyard/nightly.yml"
    assert loaded.texts == [("night", ".switchyard/nightly.yml")]


def test_without_a_file_the_registry_decides(source: Source, repo: Repo, loaded: Loaded) -> None:
    repo.commit({".switchyard.yml": None})
    with pytest.raises(SpecError, match=r"o/r has no \.switchyard\.yml at .* no service is registered"):
        resolved(source, repo)
    loaded.known.add("o/r")
    found = resolved(source, repo)
    assert (found.pipeline.name, found.pipeline_file) == ("registered", "library:shop")
    assert loaded.asked == [("o/r", "default")] * 2


def test_a_pipeline_file_that_is_no_text_or_a_link(source: Source, repo: Repo) -> None:
    repo.commit({".switchyard.yml": b"name: \xff"})
    with pytest.raises(SpecError, match="byte 6 is not UTF-8"):
        resolved(source, repo)
    (repo.path / ".switchyard.yml").unlink()
    (repo.path / ".switchyard.yml").symlink_to("/etc/passwd")
    repo.commit()
    with pytest.raises(SpecError, match="has no"):
        resolved(source, repo)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "-x", "a/b", ".hidden", "a b", "a\n"])
def test_names_that_are_no_file_names(name: str) -> None:
    with pytest.raises(SourceError, match="not a pipeline's name"):
        pipeline_file(name)


class TestVersion:
    def test_without_any_tag(self, source: Source, repo: Repo) -> None:
        sha = repo.commit({"a.txt": "2"})
        assert resolved(source, repo).version == f"0.1.0.dev2+g{sha[:8]}"

    def test_of_the_tag_on_the_commit(self, source: Source, repo: Repo) -> None:
        repo.git("tag", "v1.4.0")
        assert resolved(source, repo).version == "1.4.0"

    def test_after_a_tag(self, source: Source, repo: Repo) -> None:
        repo.git("tag", "-a", "v1.4.0", "-m", "release")
        repo.commit({"a.txt": "2"})
        sha = repo.commit({"a.txt": "3"})
        assert resolved(source, repo).version == f"1.4.1.dev2+g{sha[:8]}"

    def test_tags_that_are_no_versions_are_passed_over(self, source: Source, repo: Repo) -> None:
        repo.git("tag", "v2.0.0")
        sha = repo.commit({"a.txt": "2"})
        for tag in ("nightly", "build-2026-01-02x", "demo1x"):
            repo.git("tag", tag)
        assert resolved(source, repo).version == f"2.0.1.dev1+g{sha[:8]}"

    def test_of_the_tag_that_the_event_names(self, source: Source, repo: Repo) -> None:
        assert resolved(source, repo, event="release", tag="v3.1.0").version == "3.1.0"

    @pytest.mark.parametrize("tag", ["-x", "--all", "latest", ""])
    def test_an_events_tag_that_is_no_version_is_ignored(self, source: Source, repo: Repo, tag: str) -> None:
        assert resolved(source, repo, tag=tag).version.startswith("0.1.0.dev1+g")


class TestChanged:
    def test_against_what_the_branch_was_at_before(self, source: Source, repo: Repo) -> None:
        base = repo.git("rev-parse", "HEAD")
        repo.commit({"b.txt": "x"})
        assert resolved(source, repo, event="push", base_sha=base).changed == ["b.txt"]

    def test_of_a_pull_request_since_it_left_its_branch(self, source: Source, repo: Repo) -> None:
        repo.git("checkout", "-q", "-b", "pull")
        sha = repo.commit({"mine.txt": "x"})
        repo.git("checkout", "-q", "main")
        base = repo.commit({"theirs.txt": "x"})
        assert resolved(source, repo, sha=sha, base_sha=base, event="pull_request").changed == ["mine.txt"]

    @pytest.mark.parametrize("base", [None, "0" * 40, "1" * 40, "-x", "main"])
    def test_unknown_when_the_base_is(self, source: Source, repo: Repo, base: str | None) -> None:
        assert resolved(source, repo, event="push", base_sha=base).changed is None


@pytest.mark.parametrize("url", ["ext::sh -c id", "http://h/r", "-x", "relative", ""])
def test_urls_that_are_not_allowed(source: Source, repo: Repo, url: str) -> None:
    with pytest.raises(SourceError, match="clone URL"):
        resolved(source, repo, clone_url=url)


def test_a_missing_commit_is_the_users_to_mend(source: Source, repo: Repo) -> None:
    with pytest.raises(SourceError, match="is not in"):
        resolved(source, repo, sha="1" * 40)


def test_what_is_shipped_is_asked_unless_something_else_is_given(tmp_path: Path, repo: Repo) -> None:
    text = "name: own\nservice: shop\nstages:\n  a:\n    steps:\n      - run: make\n"
    repo.commit({".switchyard.yml": text})
    found = resolved(Source(Mirrors(tmp_path / "mirrors")), repo)
    assert found.pipeline.stages["a"].steps[0].run == "make"
    assert shipped("nobody/registered-this", "no-such-pipeline") is None
    repo.commit({".switchyard.yml": "name: [\n"})
    with pytest.raises(SpecError, match=r"\.switchyard\.yml:\d+:\d+"):
        resolved(Source(Mirrors(tmp_path / "mirrors")), repo)
