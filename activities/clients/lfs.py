"""Git LFS: pointers become files where git-lfs is installed, and are refused by name where it is not."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from activities.clients.git import Mirror
from activities.clients.git_process import Git, at
from pipelines.errors import SourceError

_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_NAMED = 5


class LargeFiles:
    def __init__(self, git: Git) -> None:
        self._git = git

    def complete(self, folder: Path, mirror: Mirror, hold: Sequence[int], below: str = "") -> None:
        """Fetch what LFS pointers in a fresh checkout stand for. Raises SourceError that names files which stay pointers."""
        if not self._tracked(folder):
            return
        if shutil.which("git-lfs") and self._pointers(folder):
            self._pull(folder, mirror, hold)
        left = [f"{below}{name}" for name in self._pointers(folder)]
        if left:
            more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
            raise SourceError(
                f"{', '.join(left[:_NAMED])}{more}: Git LFS pointers whose content is not here",
                "Install git-lfs on the worker, and check that the files were pushed",
            )

    def _tracked(self, folder: Path) -> bool:
        """Whether any attributes file of the commit speaks of LFS at all: without, no file needs to be looked at."""
        listed = self._git.run(*at(folder), "ls-files", "-z", "--", ".gitattributes", "*/.gitattributes")
        return any(b"filter=lfs" in _head(folder / _name(name), 1 << 20) for name in listed.split(b"\0") if name)

    def _pointers(self, folder: Path) -> list[str]:
        names = self._git.run(*at(folder), "ls-files", "-z")
        asked = self._git.run(*at(folder), "check-attr", "-z", "--stdin", "filter", stdin=names).split(b"\0")
        tracked = [_name(name) for name, value in zip(asked[::3], asked[2::3], strict=False) if value == b"lfs"]
        return [name for name in tracked if _head(folder / name, len(_POINTER)) == _POINTER]

    def _pull(self, folder: Path, mirror: Mirror, hold: Sequence[int]) -> None:
        """The objects are kept beside the mirror, for all its checkouts."""
        storage = str(mirror.path.resolve() / "lfs")
        for words in (
            ["config", "lfs.storage", storage],
            ["lfs", "install", "--local", "--skip-repo"],
            ["lfs", "pull", "origin"],
        ):
            self._git.run(*at(folder), *words, url=mirror.url, hold=hold)


def _head(path: Path, size: int) -> bytes:
    if path.is_symlink() or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(size)


def _name(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
