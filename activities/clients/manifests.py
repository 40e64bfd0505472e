"""What a workspace's files looked like at one moment, so that what changed since is known without reading them."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from activities.clients.archive import Beat
from activities.clients.files import write_whole
from pipelines.errors import StepFailed

_RACY = 20_000_000
"""Nanoseconds. File systems stamp changes a few milliseconds apart; a file that was changed this short a time before it was
looked at can be changed again without its stamp showing it, so its content is remembered too (as git does for its index)."""

Entry = tuple[int, int, int, int, str]
"""Mode with kind, size in bytes, time of change in nanoseconds, inode, and the content's hash where the rest could deceive."""
Manifest = dict[str, Entry]
"""By POSIX path relative to the root: files, links and folders. Folders have only a mode."""


@dataclass(frozen=True)
class Difference:
    """Names, sorted: what is new or changed, and what is gone."""

    changed: list[str]
    deleted: list[str]

    def __bool__(self) -> bool:
        return bool(self.changed or self.deleted)


def scan(root: Path, skip: Collection[str], beat: Beat) -> Manifest:
    """One walk over `root`, without what `skip` names and without sockets, pipes and devices. What vanishes is absent.
    Raises StepFailed for a folder that may not be read."""
    found: Manifest = {}
    folders = [""]
    while folders:
        beat()
        below = folders.pop()
        try:
            entries = os.scandir(root / below)
        except FileNotFoundError:
            continue
        except PermissionError:
            raise StepFailed(
                f"folder {below} of the workspace may not be read", "Let the step leave what its own user can read"
            ) from None
        with entries:
            for entry in entries:
                name = f"{below}/{entry.name}" if below else entry.name
                if name in skip:
                    continue
                seen = _entry(entry)
                if seen is not None:
                    found[name] = seen
                    if stat.S_ISDIR(seen[0]):
                        folders.append(name)
    return found


def look(root: Path, names: Iterable[str]) -> Manifest:
    """The same for some names alone."""
    found: Manifest = {}
    for name in names:
        try:
            status = (root / name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        seen = _described(root / name, status)
        if seen is not None:
            found[name] = seen
    return found


def difference(root: Path, before: Manifest, after: Manifest) -> Difference:
    changed = [name for name, entry in after.items() if _differs(root / name, before.get(name), entry)]
    return Difference(sorted(changed), sorted(before.keys() - after.keys()))


def save(manifest: Manifest, path: Path) -> None:
    write_whole(path, json.dumps(manifest, separators=(",", ":")))


def load(path: Path) -> Manifest:
    return {name: (entry[0], entry[1], entry[2], entry[3], entry[4]) for name, entry in json.loads(path.read_bytes()).items()}


def _entry(entry: os.DirEntry[str]) -> Entry | None:
    try:
        return _described(entry, entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None


def _described(path: os.PathLike[str], status: os.stat_result) -> Entry | None:
    if stat.S_ISDIR(status.st_mode):
        return status.st_mode, 0, 0, 0, ""
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
        return None
    racy = stat.S_ISREG(status.st_mode) and status.st_mtime_ns > time.time_ns() - _RACY
    return status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino, _content(path) if racy else ""


def _differs(path: Path, before: Entry | None, after: Entry) -> bool:
    if before is None or before[:4] != after[:4]:
        return True
    return bool(before[4]) and before[4] != (after[4] or _content(path))


def _content(path: os.PathLike[str]) -> str:
    """'?' when it is gone by now: never equal to any hash."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "?"
