"""Checkouts: exact, usable by git, with submodules and LFS or a clear no."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from activities.clients.checkout import Checkouts
from activities.clients.clone_url import CloneUrl
from activities.clients.git import Mirrors
from pipelines.errors import SourceError
from tests.support.components import absent
from tests.support.repos import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "origin")
    repo.commit({"a.txt": "one\n", "run.sh": "#!/bin/sh\n", "dir/b.txt": "two\n"}, "first")
    return repo


@pytest.fixture
def checkouts(tmp_path: Path) -> Checkouts:
    return Checkouts(Mirrors(tmp_path / "mirrors"))


def fill(checkouts: Checkouts, repo: Repo, folder: Path, sha: str = "") -> list[str]:
    return checkouts.fill(folder, CloneUrl.parse(repo.url), sha or repo.git("rev-parse", "HEAD"))


def ask(folder: Path, *arguments: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout.strip()


def test_exactly_the_commit(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    (repo.path / "run.sh").chmod(0o755)
    (repo.path / "link").symlink_to("dir/b.txt")
    old = repo.commit()
    repo.commit({"a.txt": "later\n", "more.txt": "x"})
    folder = tmp_path / "tree"
    assert fill(checkouts, repo, folder, old) == [".git"]
    assert (folder / "a.txt").read_text() == "one\n"
    assert not (folder / "more.txt").exists()
    assert os.access(folder / "run.sh", os.X_OK)
    assert (folder / "link").readlink() == Path("dir/b.txt")


def test_git_works_in_it(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    repo.git("tag", "-a", "v1.2.0", "-m", "release")
    sha = repo.commit({"a.txt": "two\n"}, "second")
    folder = tmp_path / "tree"
    fill(checkouts, repo, folder)
    assert ask(folder, "rev-parse", "HEAD") == sha
    assert ask(folder, "describe", "--tags") == f"v1.2.0-1-g{sha[:7]}"
    assert ask(folder, "status", "--porcelain") == ""
    assert ask(folder, "log", "--format=%s") == "second\nfirst"
    assert ask(folder, "diff", "--name-only", "v1.2.0") == "a.txt"
    assert ask(folder, "rev-parse", "origin/main") == sha
    assert ask(folder, "config", "remote.origin.url") == repo.url
    assert ask(folder, "fsck") == ""


def test_an_annotated_tag_is_its_commit(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    repo.git("tag", "-a", "v1", "-m", "one")
    fill(checkouts, repo, tmp_path / "tree", repo.git("rev-parse", "v1"))
    assert ask(tmp_path / "tree", "rev-parse", "HEAD") == repo.git("rev-parse", "HEAD")
    assert ask(tmp_path / "tree", "status", "--porcelain") == ""


def test_no_object_is_copied(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    repo.commit({"big.bin": os.urandom(1_000_000)})
    folder = tmp_path / "tree"
    fill(checkouts, repo, folder)
    size = sum(path.stat().st_size for path in (folder / ".git").rglob("*") if path.is_file())
    assert size < 20_000


def test_commits_in_it_do_not_touch_the_mirror(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    folder, other = tmp_path / "tree", tmp_path / "other"
    fill(checkouts, repo, folder)
    (folder / "a.txt").write_text("mine")
    ask(folder, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qam", "mine")
    fill(checkouts, repo, other)
    assert (other / "a.txt").read_text() == "one\n"
    assert ask(other, "log", "--format=%s", "--all") == "first"


def test_the_login_is_not_left_in_it(repo: Repo, tmp_path: Path) -> None:
    sha = repo.git("rev-parse", "HEAD")
    url = CloneUrl(repo.url, "file", "bot", "s3cret")
    Checkouts(Mirrors(tmp_path / "mirrors")).fill(tmp_path / "tree", url, sha)
    for base in ("tree", "mirrors"):
        for path in (tmp_path / base).rglob("*"):
            assert not path.is_file() or b"s3cret" not in path.read_bytes()


def test_of_a_shallow_repository_what_there_is(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a.txt": "2"}, "second")
    repo.git("clone", "-q", "--depth=1", repo.url, str(tmp_path / "shallow"))
    sha = repo.git("rev-parse", "HEAD")
    checkouts.fill(tmp_path / "tree", CloneUrl.parse(f"file://{tmp_path}/shallow"), sha)
    assert ask(tmp_path / "tree", "log", "--format=%s") == "second"


def with_submodule(repo: Repo, lib: Repo, url: str, path: str = "vendor/lib") -> str:
    repo.git("submodule", "--quiet", "add", lib.url, path)
    repo.git("config", "-f", ".gitmodules", f"submodule.{path}.url", url)
    return repo.commit(message="submodule")


def test_relative_submodules_are_fetched_to_any_depth(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    deep, lib = Repo(tmp_path / "deep"), Repo(tmp_path / "lib")
    deep.commit({"deep.txt": "deep"})
    lib.commit({"lib.txt": "lib"})
    with_submodule(lib, deep, "../deep", "inner")
    with_submodule(repo, lib, "../lib")
    lib.commit({"lib.txt": "later"})
    folder = tmp_path / "tree"
    assert fill(checkouts, repo, folder) == [".git", "vendor/lib/.git", "vendor/lib/inner/.git"]
    assert (folder / "vendor/lib/lib.txt").read_text() == "lib"
    assert (folder / "vendor/lib/inner/deep.txt").read_text() == "deep"
    assert ask(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "ext::sh -c id", "-u", "git://h/x"])
def test_submodules_by_other_protocols_are_refused_by_name(checkouts: Checkouts, repo: Repo, tmp_path: Path, url: str) -> None:
    lib = Repo(tmp_path / "lib")
    lib.commit({"lib.txt": "lib"})
    with_submodule(repo, lib, url)
    with pytest.raises(SourceError, match="submodule vendor/lib"):
        fill(checkouts, repo, tmp_path / "tree")


def test_a_submodule_whose_commit_is_gone_is_named(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    lib = Repo(tmp_path / "lib")
    lib.commit({"lib.txt": "lib"})
    with_submodule(repo, lib, "../lib")
    shutil.rmtree(lib.path)
    with pytest.raises(SourceError, match="submodule vendor/lib"):
        fill(checkouts, repo, tmp_path / "tree")


def test_a_submodule_without_an_address_is_named(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    lib = Repo(tmp_path / "lib")
    lib.commit({"lib.txt": "lib"})
    with_submodule(repo, lib, "../lib")
    repo.commit({".gitmodules": "# empty\n"})
    with pytest.raises(SourceError, match="submodule vendor/lib has no URL"):
        fill(checkouts, repo, tmp_path / "tree")


def pointer(content: bytes) -> str:
    oid = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"


def test_lfs_pointers_that_stay_pointers_are_refused_by_name(
    checkouts: Checkouts, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"media/{number}.bin": pointer(str(number).encode()) for number in range(7)}
    repo.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "plain.txt": pointer(b"x")} | files)
    monkeypatch.setattr("activities.clients.lfs.shutil.which", lambda _: None)
    with pytest.raises(SourceError) as refused:
        fill(checkouts, repo, tmp_path / "tree")
    assert "media/0.bin" in str(refused.value)
    assert "and 2 more" in str(refused.value)
    assert "plain.txt" not in str(refused.value)
    assert "git-lfs" in refused.value.remedy


def test_files_that_lfs_tracks_but_that_are_no_pointers_are_fine(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    repo.commit({"sub/.gitattributes": "*.bin filter=lfs\n", "sub/a.bin": b"\0real"})
    fill(checkouts, repo, tmp_path / "tree")
    assert (tmp_path / "tree/sub/a.bin").read_bytes() == b"\0real"


def test_lfs_files_are_fetched_where_git_lfs_is(checkouts: Checkouts, repo: Repo, tmp_path: Path) -> None:
    if not shutil.which("git-lfs"):
        absent("git-lfs is not installed")
    content = os.urandom(5000)
    repo.git("lfs", "install", "--local")
    repo.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    repo.commit({"big.bin": content})
    assert repo.git("cat-file", "-p", "HEAD:big.bin").startswith("version https://git-lfs")
    fill(checkouts, repo, tmp_path / "tree")
    assert (tmp_path / "tree/big.bin").read_bytes() == content
    assert ask(tmp_path / "tree", "status", "--porcelain") == ""
