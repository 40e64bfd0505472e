"""Mirrors of real repositories: fetched when needed, recovered after kills, readable without a checkout."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.clients.clone_url import CloneUrl
from activities.clients.files import locked
from activities.clients.git import Mirrors
from activities.clients.git_process import Git, environment, translated
from pipelines.errors import SourceError, Unavailable
from tests.support.ports import free_port
from tests.support.repos import Repo
from tests.support.steps import alive


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "origin")
    repo.commit({"a.txt": "one\n", "src/b.txt": "two\n"}, "first\n\nbody")
    return repo


@pytest.fixture
def mirrors(tmp_path: Path) -> Mirrors:
    return Mirrors(tmp_path / "mirrors")


def url(repo: Repo) -> CloneUrl:
    return CloneUrl.parse(repo.url)


def test_a_commit_is_fetched_and_described(repo: Repo, mirrors: Mirrors) -> None:
    sha = repo.git("rev-parse", "HEAD")
    commit = mirrors.having(url(repo), sha).commit(sha)
    assert commit.sha == sha
    assert commit.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert (commit.author, commit.subject) == ("Ann Author <ann@example.com>", "first")
    assert commit.committed_at == 1767323045.0


def test_files_are_read_at_the_commit_without_a_checkout(repo: Repo, mirrors: Mirrors) -> None:
    old = repo.git("rev-parse", "HEAD")
    (repo.path / "link").symlink_to("/etc/passwd")
    new = repo.commit({"a.txt": "changed\n"})
    mirror = mirrors.having(url(repo), new)
    assert (mirror.read(old, "a.txt"), mirror.read(new, "a.txt")) == (b"one\n", b"changed\n")
    assert mirror.read(new, "src/b.txt") == b"two\n"
    for absent in ("nothing.txt", "src", "link", "a.txt/x"):
        assert mirror.read(new, absent) is None


def test_what_is_there_is_not_fetched_again(repo: Repo, mirrors: Mirrors, tmp_path: Path) -> None:
    sha = repo.git("rev-parse", "HEAD")
    mirrors.having(url(repo), sha)
    repo.path.rename(tmp_path / "gone")
    assert mirrors.having(CloneUrl.parse(f"file://{repo.path}"), sha).has(sha)


def test_a_new_commit_is_fetched_into_the_same_mirror(repo: Repo, mirrors: Mirrors) -> None:
    first = mirrors.having(url(repo), repo.git("rev-parse", "HEAD"))
    second = mirrors.having(url(repo), repo.commit({"a.txt": "2"}))
    assert first.path == second.path


def test_a_commit_on_no_branch_is_fetched_by_its_id(repo: Repo, mirrors: Mirrors) -> None:
    main = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "--detach")
    pull = repo.commit({"p.txt": "pull request"})
    repo.git("update-ref", "refs/pull/1/head", pull)
    repo.git("checkout", "-q", "main")
    assert repo.git("rev-parse", "HEAD") == main
    assert mirrors.having(url(repo), pull).read(pull, "p.txt") == b"pull request"


def test_an_annotated_tag_is_taken_for_its_commit(repo: Repo, mirrors: Mirrors) -> None:
    repo.git("tag", "-a", "v1", "-m", "one")
    tag = repo.git("rev-parse", "v1")
    assert mirrors.having(url(repo), tag).commit(tag).sha == repo.git("rev-parse", "HEAD")


def test_a_forced_push_and_a_branch_that_became_a_folder_are_followed(repo: Repo, mirrors: Mirrors) -> None:
    repo.git("branch", "feature")
    old = repo.commit({"a.txt": "old"})
    mirrors.having(url(repo), old)
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("branch", "-D", "feature")
    repo.git("branch", "feature/x")
    new = repo.commit({"a.txt": "new"})
    mirror = mirrors.having(url(repo), new)
    assert mirror.read(new, "a.txt") == b"new"
    assert mirror.has(old), "a workspace may still use it"


def test_a_missing_commit_says_so(repo: Repo, mirrors: Mirrors) -> None:
    with pytest.raises(SourceError, match=f"commit {'1' * 40} is not in .*origin"):
        mirrors.having(url(repo), "1" * 40)


def test_a_tree_is_no_commit(repo: Repo, mirrors: Mirrors) -> None:
    with pytest.raises(SourceError, match="is not a commit"):
        mirrors.having(url(repo), repo.git("rev-parse", "HEAD^{tree}"))


def test_a_missing_repository_says_so(tmp_path: Path, mirrors: Mirrors) -> None:
    with pytest.raises(SourceError, match="does not"):
        mirrors.having(CloneUrl.parse(f"file://{tmp_path}/nothing"), "1" * 40)


@pytest.mark.parametrize("sha", ["", "HEAD", "-x", "--upload-pack=touch x", "abc123", "1" * 39, "1" * 40 + "\n", "g" * 40])
def test_only_full_commit_ids_reach_git(sha: str, repo: Repo, mirrors: Mirrors) -> None:
    with pytest.raises(SourceError, match="not a full commit id"):
        mirrors.having(url(repo), sha)


def test_a_server_that_does_not_answer_may_answer_later(mirrors: Mirrors) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1") as raised:
        mirrors.having(CloneUrl.parse(f"https://bot:s3cret@127.0.0.1:{free_port()}/r.git"), "1" * 40)
    assert "s3cret" not in str(raised.value)


def test_the_base_is_none_when_it_cannot_be_had(repo: Repo, mirrors: Mirrors) -> None:
    sha = repo.git("rev-parse", "HEAD")
    assert mirrors.try_having(url(repo), sha) == sha
    for base in (None, "", "0" * 40, "1" * 40, "main", "-x"):
        assert mirrors.try_having(url(repo), base) is None


def test_changed_paths_with_both_names_of_a_renamed_file(repo: Repo, mirrors: Mirrors) -> None:
    body = "".join(f"line {number}\n" for number in range(50))
    base = repo.commit({"old/name.txt": body, "gone.txt": "x", "kept.txt": "x"})
    repo.git("rm", "-q", "gone.txt")
    (repo.path / "new").mkdir()
    repo.git("mv", "old/name.txt", "new/name.txt")
    sha = repo.commit({"added ü.txt": "x", "a.txt": "changed"})
    mirror = mirrors.having(url(repo), sha)
    assert mirror.changed(base, sha, since_fork=False) == ["a.txt", "added ü.txt", "gone.txt", "new/name.txt", "old/name.txt"]
    assert mirror.changed(sha, sha, since_fork=False) == []


def test_changes_of_a_pull_request_are_those_since_it_left_the_branch(repo: Repo, mirrors: Mirrors) -> None:
    repo.git("checkout", "-q", "-b", "pull")
    sha = repo.commit({"mine.txt": "x"})
    repo.git("checkout", "-q", "main")
    base = repo.commit({"theirs.txt": "x"})
    mirror = mirrors.having(url(repo), sha)
    assert mirror.changed(base, sha, since_fork=True) == ["mine.txt"]
    assert mirror.changed(base, sha, since_fork=False) == ["mine.txt", "theirs.txt"]


def test_without_a_common_ancestor_changes_are_unknown(repo: Repo, mirrors: Mirrors) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "--orphan", "other")
    sha = repo.commit({"x": "x"})
    mirror = mirrors.having(url(repo), sha)
    assert mirror.changed(base, sha, since_fork=True) is None


def test_many_at_once_make_one_mirror(repo: Repo, mirrors: Mirrors, tmp_path: Path) -> None:
    sha = repo.git("rev-parse", "HEAD")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: mirrors.having(url(repo), sha).read(sha, "a.txt"), range(8)))
    assert found == [b"one\n"] * 8
    assert [path.name for path in (tmp_path / "mirrors").iterdir() if path.suffix == ".partial"] == []


def test_what_a_killed_fetch_left_is_cleared_away(repo: Repo, mirrors: Mirrors) -> None:
    path = mirrors.having(url(repo), repo.git("rev-parse", "HEAD")).path
    sha = repo.commit({"a.txt": "later"})
    for left in ("packed-refs.lock", "HEAD.lock", "refs/heads/main.lock", "objects/pack/tmp_pack_x1"):
        (path / left).parent.mkdir(parents=True, exist_ok=True)
        (path / left).write_text("half")
    assert mirrors.having(url(repo), sha).has(sha)
    assert not list(path.rglob("*.lock"))
    assert not list(path.rglob("tmp_pack*"))


def test_a_mirror_half_made_is_made_again(repo: Repo, mirrors: Mirrors, tmp_path: Path) -> None:
    sha = repo.git("rev-parse", "HEAD")
    path = mirrors.having(url(repo), sha).path
    for entry in ("HEAD", "config"):
        (path / entry).unlink()
    path.rename(path.with_suffix(".partial"))
    assert mirrors.having(url(repo), sha).read(sha, "a.txt") == b"one\n"


_FETCH = """
import sys
from pathlib import Path
from activities.clients.clone_url import CloneUrl
from activities.clients.git import Mirrors
Mirrors(Path(sys.argv[1])).having(CloneUrl.parse(sys.argv[2]), sys.argv[3])
"""


@pytest.mark.parametrize("after", [0.0, 0.005, 0.01, 0.02, 0.04, 0.08])
def test_killed_anywhere_in_a_fetch_the_next_one_works(repo: Repo, mirrors: Mirrors, tmp_path: Path, after: float) -> None:
    sha = repo.commit({f"big{number}.bin": os.urandom(200_000) for number in range(10)})
    process = subprocess.Popen([sys.executable, "-c", _FETCH, str(tmp_path / "mirrors"), repo.url, sha])
    locks = tmp_path / "mirrors"
    deadline = time.monotonic() + 20
    while not list(locks.glob("*.lock")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    mirror = mirrors.having(url(repo), sha)
    assert mirror.read(sha, "a.txt") == b"one\n"
    assert mirror.git("fsck", "--no-dangling") == b""


def test_the_lock_lasts_as_long_as_a_git_process_that_outlives_us(tmp_path: Path) -> None:
    with locked(tmp_path / "lock", "it") as handle:
        child = subprocess.Popen(["sleep", "30"], pass_fds=[handle])
    try:
        with pytest.raises(Exception, match="somebody else"), locked(tmp_path / "lock", "it", patience=0.1):
            pass
    finally:
        child.kill()
        child.wait()
    with locked(tmp_path / "lock", "it", patience=5):
        assert child.returncode is not None


def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    git = Git(timeout=0.5)
    with pytest.raises(Unavailable, match=r"longer than 0\.5 s"):
        git.run("-c", f"alias.hang=!echo $$ > {tmp_path}/pid; sleep 60", "hang")
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.01)


def test_heartbeats_while_git_runs() -> None:
    beats: list[float] = []
    Git(beat=lambda: beats.append(time.monotonic())).run("-c", "alias.wait=!sleep 2.5", "wait")
    assert len(beats) == 2


def test_nothing_of_the_users_configuration_and_no_hook_is_used(
    repo: Repo, mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[core]\n\tfsmonitor = {trap}\n\thooksPath = {tmp_path}\n[fetch]\n\tfsckObjects = x\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    sha = repo.git("rev-parse", "HEAD")
    assert mirrors.having(url(repo), sha).commit(sha).sha == sha
    assert not (tmp_path / "sprung").exists()


def test_a_login_is_in_no_command_line_and_for_its_own_host_only() -> None:
    env = environment(CloneUrl.parse("https://bot:s3cret@git.example:8443/o/r.git"))
    keys = [env[f"GIT_CONFIG_KEY_{number}"] for number in range(int(env["GIT_CONFIG_COUNT"]))]
    assert "credential.https://git.example:8443.helper" in keys
    assert (env["SWITCHYARD_GIT_USER"], env["SWITCHYARD_GIT_PASSWORD"]) == ("bot", "s3cret")
    assert not any("s3cret" in value for name, value in env.items() if name != "SWITCHYARD_GIT_PASSWORD")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("fatal: repository 'https://h/r/' not found", SourceError),
        ("fatal: Authentication failed for 'https://h/r/'", SourceError),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.", SourceError),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", SourceError),
        ("fatal: remote error: upload-pack: not our ref 111", SourceError),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 503", Unavailable),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", Unavailable),
        ("ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.", Unavailable),
        ("error: RPC failed; curl 18 transfer closed\nfatal: early EOF", Unavailable),
        ("", Unavailable),
    ],
)
def test_what_git_says_is_final_or_may_change(said: str, expected: type[Exception]) -> None:
    assert type(translated("fetch", said, 128)) is expected


def test_no_error_holds_the_login() -> None:
    url = CloneUrl.parse("https://bot:s3cret@h/r.git")
    error = translated("fetch", "fatal: unable to access 'https://bot:s3cret@h/r.git' with s3cret of bot", 128, url)
    assert "s3cret" not in str(error)
    assert "of bot" not in str(error)
