"""Which commit is meant: real repositories, local and cloned from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipelines.errors import SourceError
from pipelines.messages.common import RunRequest
from starter.checkout import _hidden, _provider, _repo_name, request_for


def git(folder: Path, *arguments: str) -> str:
    return subprocess.check_output(["git", "-C", str(folder), *arguments], text=True).strip()


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"NAME": "Ada", "EMAIL": "ada@example.org"}.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    git(folder, "tag", "-a", "v1", "-m", "one")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    return folder


def asked(repo: Path | str, sha: str = "", branch: str = "") -> RunRequest:
    return request_for(str(repo), sha, branch=branch, pipeline="default", reuse=True, actor="ada")


def test_what_is_checked_out(repo: Path) -> None:
    found = asked(repo)
    assert found.sha == git(repo, "rev-parse", "HEAD")
    assert (found.provider, found.repo, found.branch, found.title) == ("local", "local/shop", "main", "second")
    assert (found.clone_url, found.event, found.actor) == (str(repo), "manual", "ada")


def test_any_name_of_a_commit(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD~1")
    assert asked(repo, "HEAD~1").sha == asked(repo, "v1").sha == asked(repo, first[:8]).sha == first
    assert asked(repo, first).title == "first"
    assert asked(repo, branch="release").branch == "release"


def test_a_folder_inside_the_checkout_and_a_worktree(repo: Path, tmp_path: Path) -> None:
    (repo / "src").mkdir()
    assert asked(repo / "src").clone_url == str(repo)
    git(repo, "worktree", "add", "-q", str(tmp_path / "side"), "v1")
    side = asked(tmp_path / "side")
    assert (side.clone_url, side.title) == (str(repo), "first")


def test_the_remote_names_the_repository(repo: Path) -> None:
    git(repo, "remote", "add", "origin", "git@github.com:acme/web.git")
    assert asked(repo).repo == "acme/web"
    assert asked(repo).provider == "local"


def test_a_url_is_looked_up_without_cloning(repo: Path) -> None:
    url = f"file://{repo}"
    assert asked(url).sha == git(repo, "rev-parse", "HEAD")
    tagged = asked(url, "v1")
    assert tagged.sha == git(repo, "rev-parse", "HEAD~1")
    assert (asked(url, branch="main").branch, asked(url, branch="main").clone_url) == ("main", url)
    full = git(repo, "rev-parse", "HEAD")
    assert asked(url, full).sha == full
    with pytest.raises(SourceError, match="no branch or tag 'nope'"):
        asked(url, "nope")


@pytest.mark.parametrize("where", ["nowhere", "file:///nowhere/at/all"])
def test_what_is_no_repository(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        asked(where)


def test_no_repository_here_and_no_such_commit(repo: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SourceError, match="name --repo and --sha"):
        asked(empty)
    with pytest.raises(SourceError, match="shop has no commit 'deadbeef'"):
        asked(repo, "deadbeef")
    with pytest.raises(SourceError):
        asked(repo, "--upload-pack=touch /tmp/x")
    git(empty, "init", "-q")
    with pytest.raises(SourceError, match="empty has no commit yet"):
        asked(empty)


@pytest.mark.parametrize(
    ("url", "name", "provider"),
    [
        ("https://github.com/acme/shop.git", "acme/shop", "github"),
        ("git@gitlab.example.org:group/sub/shop.git", "group/sub/shop", "gitlab"),
        ("ssh://git@github.com:22/acme/shop/", "acme/shop", "github"),
        ("file:///srv/git/acme/shop.git", "acme/shop", "local"),
        ("/srv/shop", "srv/shop", "local"),
        ("file:///shop.git", "local/shop", "local"),
    ],
)
def test_names_from_urls(url: str, name: str, provider: str) -> None:
    assert (_repo_name(url), _provider(url)) == (name, provider)


def test_passwords_in_urls_are_never_told() -> None:
    assert _hidden("fatal: https://ada:s3cret@github.com/x not found") == "fatal: https://github.com/x not found"
    with pytest.raises(SourceError) as told:
        asked("http://ada:s3cret@127.0.0.1:1/x.git")
    assert "s3cret" not in str(told.value)
