"""Archives that depend on nothing but content: the same files give the same bytes, whoever packs them, whenever.

Gzipped tar: names sorted, owners dropped, modes 0755 or 0644, one time stamp.
Unpacking trusts nothing: no name and no link leads out.
"""

from __future__ import annotations

import gzip
import os
import posixpath
import re
import shutil
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from activities.base import heartbeat
from pipelines.errors import IntegrityError, StepFailed, Unavailable

EPOCH = 315_619_200
"""2 January 1980: the first day that zip files can express in every time zone."""

Beat = Callable[[], object]
_NEVER = {".git"}


def select(root: Path, patterns: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
    """Names below `root` (POSIX, sorted) that match a pattern or lie in a folder that does; `.git` never does.

    Patterns are globs as in shells, `**` crosses folders, '.' is everything. Raises StepFailed for a pattern that leads out of
    the root or matches nothing.
    """
    taken = {pattern: _matcher(pattern) for pattern in patterns}
    left_out = [_matcher(pattern) for pattern in exclude]
    names = list(_walk(root, "", lambda name: any(matcher.fullmatch(name) for matcher in left_out)))
    found: set[str] = set()
    for pattern, matcher in taken.items():
        matching = {name for name in names if any(matcher.fullmatch(part) for part in _ancestry(name))}
        if not matching:
            raise StepFailed(
                f"'{pattern}' matches no file", "Check 'paths' and 'exclude', and that the steps make what they name"
            )
        found |= matching
    return sorted(found)


def pack(
    target: IO[bytes],
    root: Path,
    names: Iterable[str],
    *,
    outside_links: bool = False,
    keep_times: bool = False,
    beat: Beat = heartbeat,
) -> None:
    """Write an archive of the named files, folders (without content) and links below `root`; sockets and pipes are left out.

    A link that leads out of the root is refused with StepFailed, or kept as it is with `outside_links`. `keep_times` keeps times
    of change, in whole seconds, for what compares them. Raises Unavailable when a file changes while it is read.
    """
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in sorted(set(names)):
            beat()
            try:
                _add(tar, root, name, outside_links, keep_times)
            except OSError as error:
                raise Unavailable(f"{name} cannot be packed: {error.strerror or error}") from error


def unpack(source: IO[bytes], folder: Path, *, outside_links: bool = False, beat: Beat = heartbeat) -> None:
    """Unpack over `folder`: what the archive names replaces what is there, of whatever kind; the rest stays. Can be repeated.

    Raises IntegrityError for bytes that are no archive and for members that lead out of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=source, mode="r:gz") as tar:
            for member in tar:
                beat()
                _extract(tar, member, folder, outside_links)
    except tarfile.FilterError as error:
        raise IntegrityError(f"the archive is refused: {error}") from error
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise IntegrityError(f"the archive cannot be read: {error}") from error
    except OSError as error:
        raise Unavailable(f"the archive cannot be unpacked: {error.strerror or error}") from error


def _matcher(pattern: str) -> re.Pattern[str]:
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts or not pattern:
        raise StepFailed(f"'{pattern}' leads out of the workspace", "Write paths relative to the workspace")
    if path == PurePosixPath("."):
        return re.compile(".*", re.DOTALL)
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^]]+\])", path.as_posix())
    return re.compile("".join(_translate(part) for part in parts), re.DOTALL)


def _translate(part: str) -> str:
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if part in known:
        return known[part]
    if part.startswith("[") and part.endswith("]"):
        return f"(?!/){part.replace('[!', '[^', 1)}"
    return re.escape(part)


def _ancestry(name: str) -> Iterator[str]:
    while name:
        yield name
        name = posixpath.dirname(name)


def _walk(root: Path, below: str, left_out: Callable[[str], bool]) -> Iterator[str]:
    """Folders before their content; links are not followed."""
    with os.scandir(root / below) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        name = posixpath.join(below, entry.name)
        if entry.name in _NEVER or left_out(name):
            continue
        yield name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, name, left_out)


def _add(tar: tarfile.TarFile, root: Path, name: str, outside_links: bool, keep_times: bool) -> None:
    path = root / name
    status = path.lstat()
    info = tarfile.TarInfo(name)
    info.mtime = int(status.st_mtime) if keep_times else EPOCH
    info.mode = 0o755 if stat.S_ISDIR(status.st_mode) or status.st_mode & 0o100 else 0o644
    if stat.S_ISDIR(status.st_mode):
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    elif stat.S_ISLNK(status.st_mode):
        info.type, info.mode = tarfile.SYMTYPE, 0o777
        info.linkname = str(path.readlink()) if outside_links else _inside(root, name, str(path.readlink()))
        tar.addfile(info)
    elif stat.S_ISREG(status.st_mode):
        with path.open("rb") as content:
            info.size = os.fstat(content.fileno()).st_size
            tar.addfile(info, content)


def _inside(root: Path, name: str, target: str) -> str:
    """The link's target, made relative when it is absolute and below the root."""
    folder = posixpath.dirname(name)
    if posixpath.isabs(target):
        target = posixpath.relpath(target, posixpath.join(root.resolve().as_posix(), folder))
    landing = posixpath.normpath(posixpath.join(folder, target))
    if landing == ".." or landing.startswith("../"):
        raise StepFailed(f"{name} is a link to {target}, out of what is packed", "Exclude it, or copy what it points to")
    return target


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, outside_links: bool) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise IntegrityError(f"the archive is refused: {member.name} leads out of it")
    _clear(folder, path, member.isdir())
    tar.extract(member, folder, filter=_keep_link if outside_links and member.issym() else "data")


def _keep_link(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """The link's own place is checked as ever; where it points to is its maker's business."""
    checked = tarfile.data_filter(member.replace(linkname=".", deep=False), folder)
    return checked.replace(linkname=member.linkname, deep=False)


def _clear(folder: Path, name: PurePosixPath, is_folder: bool) -> None:
    """No link or file may stand where the member's folders go, and nothing of another kind at its own place."""
    for above in list(name.parents)[-2::-1]:
        if (folder / above).is_symlink() or (folder / above).is_file():
            (folder / above).unlink()
    path = folder / name
    if path.is_dir() and not path.is_symlink():
        if not is_folder:
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
