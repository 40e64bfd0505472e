"""Exact commits in folders: a repository of its own whose objects are the mirror's, so that nothing is copied but the files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from activities.clients.clone_url import CloneUrl
from activities.clients.git import Mirror, Mirrors
from activities.clients.git_process import Git, at
from activities.clients.lfs import LargeFiles
from pipelines.errors import SourceError

_DEEPEST = 8
_SUBMODULE = b"160000"


class Checkouts:
    def __init__(self, mirrors: Mirrors, git: Git | None = None) -> None:
        self._mirrors = mirrors
        self._git = git or Git()
        self._large = LargeFiles(self._git)

    def fill(self, folder: Path, url: CloneUrl, sha: str, hold: Sequence[int] = (), below: str = "", depth: int = 0) -> list[str]:
        """Put a commit with its submodules into an empty or missing folder. Gives the paths of all `.git` folders, relative to
        the workspace. `below` is where in it this folder is.

        Raises SourceError for a submodule or LFS file that cannot be had, Unavailable when it may be later.
        """
        mirror = self._mirrors.having(url, sha)
        sha = mirror.peeled(sha)
        self._git.run("init", "--quiet", "--template=", str(folder), hold=hold)
        self._share(folder, mirror, sha)
        self._git.run(*at(folder), "read-tree", "--reset", "-u", sha, hold=hold)
        found = [f"{below}.git"]
        for path, target, commit in self._submodules(folder, mirror, sha):
            if depth >= _DEEPEST:
                raise SourceError(f"submodule {below}{path} is nested more than {_DEEPEST} deep", "Flatten the submodules")
            found += self._fill_submodule(folder / path, target, commit, hold, f"{below}{path}", depth)
        self._large.complete(folder, mirror, hold, below)
        return found

    def _fill_submodule(self, folder: Path, url: CloneUrl, sha: str, hold: Sequence[int], path: str, depth: int) -> list[str]:
        try:
            return self.fill(folder, url, sha, hold, f"{path}/", depth + 1)
        except SourceError as error:
            if error.message.startswith("submodule "):
                raise
            raise SourceError(f"submodule {path}: {error.message}", error.remedy) from None

    def _share(self, folder: Path, mirror: Mirror, sha: str) -> None:
        """Objects, branches, tags and where they came from: what `git describe`, `git log` and `git diff origin/main` ask for."""
        own = folder / ".git"
        (own / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (own / "objects" / "info" / "alternates").write_text(f"{mirror.path.resolve() / 'objects'}\n")
        (own / "packed-refs").write_bytes(_refs(mirror))
        (own / "HEAD").write_text(f"{sha}\n")
        shallow = mirror.path / "shallow"
        if shallow.is_file():
            (own / "shallow").write_bytes(shallow.read_bytes())
        with (own / "config").open("a") as config:
            config.write(f'[remote "origin"]\n\turl = {mirror.url.clean}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n')
            config.write("[gc]\n\tauto = 0\n")

    def _submodules(self, folder: Path, mirror: Mirror, sha: str) -> Iterator[tuple[str, CloneUrl, str]]:
        """(path, URL, commit) of each; without `.gitmodules` there are none, and nothing is asked."""
        if (folder / ".gitmodules").is_symlink() or not (folder / ".gitmodules").is_file():
            return
        urls = _declared(mirror.git("config", "-z", "--blob", f"{sha}:.gitmodules", "--list"))
        for entry in mirror.git("ls-tree", "-r", "-z", "--full-tree", sha).split(b"\0"):
            meta, _, name = entry.partition(b"\t")
            if not meta.startswith(_SUBMODULE):
                continue
            path = name.decode("utf-8", "surrogateescape")
            if path not in urls:
                raise SourceError(f"submodule {path} has no URL in .gitmodules", "Add it there, or remove the submodule")
            try:
                url = mirror.url.submodule(urls[path])
            except SourceError as error:
                raise SourceError(f"submodule {path}: {error.message}", "Use a relative, https or ssh URL") from None
            yield path, url, meta.split()[2].decode()


def _refs(mirror: Mirror) -> bytes:
    listed = mirror.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
    lines = [line.replace(b" refs/heads/", b" refs/remotes/origin/", 1) for line in listed.splitlines()]
    return b"".join(line + b"\n" for line in sorted(lines, key=lambda line: line.split(b" ", 1)[1]))


def _declared(config: bytes) -> dict[str, str]:
    """Path to URL, from `git config --list -z` of a `.gitmodules`."""
    found: dict[str, dict[str, str]] = {}
    for entry in config.decode("utf-8", "surrogateescape").split("\0"):
        key, _, value = entry.partition("\n")
        section, _, name = key.rpartition(".")
        if section.startswith("submodule."):
            found.setdefault(section, {})[name] = value
    return {each["path"]: each["url"] for each in found.values() if "path" in each and "url" in each}
