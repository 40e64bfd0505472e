"""Bare mirrors of repositories: one for each clone URL, fetched only when a commit is missing, and never shrunk.

Readers need no lock, because git only ever adds objects. Writers hold one that their git processes inherit: after a worker is
killed, whoever comes next waits until the last of them has ended, and then finds only leftovers, which it clears away.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from git import Blob, Repo
from git.exc import GitError, ODBError

from activities.clients.clone_url import CloneUrl
from activities.clients.files import locked
from activities.clients.git_process import Git, environment
from pipelines.errors import SourceError, Unavailable
from pipelines.layout import slug

_FULL = re.compile(r"[0-9a-f]{40}")
_PATIENCE = 600.0


@dataclass(frozen=True)
class Commit:
    """`committed_at` in Unix seconds."""

    sha: str
    tree: str
    author: str
    subject: str
    committed_at: float


class Mirror:
    """One repository, as far as it is here."""

    def __init__(self, path: Path, url: CloneUrl, git: Git) -> None:
        self.path = path
        self.url = url
        self._git = git

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        return self._git.run(f"--git-dir={self.path}", *arguments, stdin=stdin)

    def has(self, sha: str) -> bool:
        return self._git.says(f"--git-dir={self.path}", "cat-file", "-e", f"{sha}^{{commit}}")

    def peeled(self, sha: str) -> str:
        """The commit's own id, for that of an annotated tag."""
        return self.git("rev-parse", "--verify", f"{sha}^{{commit}}").decode().strip()

    def commit(self, sha: str) -> Commit:
        with self._repo() as repo:
            found = repo.commit(sha)
            subject = str(found.message).strip().partition("\n")[0]
            author = f"{found.author.name or ''} <{found.author.email or ''}>"
            return Commit(found.hexsha, found.tree.hexsha, _plain(author), _plain(subject), float(found.committed_date))

    def read(self, sha: str, path: str) -> bytes | None:
        """A regular file's content at a commit; None when there is none at that path."""
        with self._repo() as repo:
            try:
                found = repo.commit(sha).tree / path
            except KeyError:
                return None
            if not isinstance(found, Blob) or found.mode == Blob.link_mode:
                return None
            return bytes(found.data_stream.read())

    def changed(self, base: str, sha: str, *, since_fork: bool) -> list[str] | None:
        """Paths that differ, sorted, of a renamed file both names. `since_fork`: only what this side changed since the two
        parted. None when that cannot be told."""
        with self._repo() as repo:
            commit = repo.commit(sha)
            start = next(iter(repo.merge_base(base, sha)), None) if since_fork else repo.commit(base)
            if start is None:
                return None
            return sorted({path for diff in start.diff(commit) for path in (diff.a_path, diff.b_path) if path})

    def describe(self, sha: str, passed_over: Sequence[str] = ()) -> tuple[str, int] | None:
        """The nearest tag with a digit in its name in the commit's history, and how many commits ago it was; None without any."""
        others = [f"--exclude={tag}" for tag in passed_over]
        try:
            found = self.git("describe", "--tags", "--long", "--abbrev=40", "--match=*[0-9]*", *others, sha)
        except SourceError:
            return None
        tag, distance, _ = found.decode("utf-8", "replace").strip().rsplit("-", 2)
        return tag, int(distance)

    def age(self, sha: str) -> int:
        """How many commits lead to this one, itself included."""
        return int(self.git("rev-list", "--count", sha))

    @contextmanager
    def _repo(self) -> Iterator[Repo]:
        try:
            with Repo(self.path, expand_vars=False) as repo:
                repo.git.update_environment(
                    **environment(), GIT_DIR=str(self.path), GIT_OBJECT_DIRECTORY=str(self.path / "objects")
                )
                yield repo
        except (GitError, ODBError, ValueError, OSError) as error:
            raise Unavailable(f"the mirror of {self.url.clean} cannot be read: {type(error).__name__}") from error


class Mirrors:
    """All mirrors of a host, below `folder`."""

    def __init__(self, folder: Path, git: Git | None = None) -> None:
        self._folder = folder
        self._git = git or Git()

    def having(self, url: CloneUrl, sha: str) -> Mirror:
        """The repository's mirror, with that commit in it.

        Raises SourceError when the commit or the repository cannot be had, Unavailable when it may be later.
        """
        if not _FULL.fullmatch(sha):
            raise SourceError(f"{sha[:80]!r} is not a full commit id", "Give all 40 hexadecimal digits")
        path = self._folder / f"{slug(url.clean)}.git"
        mirror = Mirror(path, url, self._git)
        if path.is_dir() and mirror.has(sha):
            return mirror
        with locked(self._folder / f"{path.name}.lock", f"the mirror of {url.clean}", _PATIENCE) as lock:
            self._prepare(path, lock)
            self._fetch(mirror, sha, lock)
        return mirror

    def try_having(self, url: CloneUrl, sha: str | None) -> str | None:
        """The commit's id if it can be had: what a branch was at before a forced push may be gone."""
        if not sha or not _FULL.fullmatch(sha) or not sha.strip("0"):
            return None
        try:
            self.having(url, sha)
        except SourceError:
            return None
        return sha

    def _prepare(self, path: Path, lock: int) -> None:
        """An empty mirror appears whole; in one that is there, nobody holds git's own locks while we hold ours."""
        partial = path.with_suffix(".partial")
        if not path.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
            self._git.run("init", "--quiet", "--bare", "--template=", str(partial), hold=[lock])
            partial.rename(path)
            return
        for stale in _leftovers(path):
            stale.unlink(missing_ok=True)

    def _fetch(self, mirror: Mirror, sha: str, lock: int) -> None:
        """All branches and tags, which versions and comparisons need; then the commit itself when no branch has it."""
        if mirror.has(sha):
            return
        self._fetch_refs(mirror, ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"], lock)
        if mirror.has(sha):
            return
        try:
            self._fetch_refs(mirror, [sha], lock)
        except SourceError as error:
            raise SourceError(
                f"commit {sha} is not in {mirror.url.clean}: {error.message}", "Check that it was pushed and not forced away"
            ) from None
        if not mirror.has(sha):
            raise SourceError(f"{sha} in {mirror.url.clean} is not a commit", "Give the id of a commit")

    def _fetch_refs(self, mirror: Mirror, refs: Sequence[str], lock: int) -> None:
        prune = ["--prune"] if len(refs) > 1 else []
        options = ["--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc", "--no-write-fetch-head", "--update-shallow"]
        url = mirror.url
        self._git.run(f"--git-dir={mirror.path}", "fetch", *options, *prune, "--", url.clean, *refs, url=url, hold=[lock])


def _leftovers(path: Path) -> Iterator[Path]:
    """What killed git processes leave: lock files that would block all later ones, and half-received packs."""
    yield from path.glob("*.lock")
    yield from (path / "refs").rglob("*.lock")
    yield from (path / "objects").glob("*/tmp_*")


def _plain(text: str) -> str:
    """Text that JSON can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
