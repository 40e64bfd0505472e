"""Layers: archives of what a stage changed, added and deleted, from which a workspace is rebuilt on another host.

A gzipped tar whose global header holds names, deletions, the modes that tar's filter would change, and where the workspace
was: text files that name that folder (the scripts of a virtual environment, for one) are made to name the new one. Caches have
the same form.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import stat
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from pydantic import Field

from activities.clients import archive
from activities.clients.archive import Beat
from pipelines.errors import IntegrityError, StepFailed, Unavailable
from pipelines.messages.common import Message

_HEADER = "SWITCHYARD.layer"
_MOST_TEXT = 1 << 20
_PLAIN = (0o644, 0o755)


class LayerHeader(Message):
    """`root` is where the files were; `rooted` are those that name it. `made_by` makes layers of different stages differ, even if
    they hold the same files."""

    made_by: str = ""
    root: str = ""
    names: list[str] = Field(default_factory=list)
    rooted: list[str] = Field(default_factory=list)
    deleted: list[str] = Field(default_factory=list)
    modes: dict[str, int] = Field(default_factory=dict)


def write_layer(target: IO[bytes], root: Path, names: Sequence[str], deleted: Sequence[str], made_by: str, beat: Beat) -> None:
    """Pack the named files, folders (without content) and links below `root`. Those that vanish while others are packed are left
    out. Raises StepFailed for a file that may not be read, Unavailable when the disk is full or broken."""
    try:
        header = _header(root, names, deleted, made_by, beat)
        # Level 1: layers are written after every stage, and read rarely.
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0, compresslevel=1) as packed,
            tarfile.open(
                fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, pax_headers={_HEADER: json.dumps(header.model_dump())}
            ) as tar,
        ):
            # tarfile cannot read a global header that nothing follows.
            _add(tar, root, ".", beat)
            for name in names:
                beat()
                _add(tar, root / name, name, beat)
    except PermissionError as error:
        raise StepFailed(f"{error.filename} may not be read", "Let the step leave what its own user can read") from error
    except OSError as error:
        raise Unavailable(f"a layer cannot be written: {error.strerror or error}") from error


def apply_layer(source: IO[bytes], root: Path, home: Path, beat: Beat) -> list[str]:
    """Make `root` have what the layer has; can be repeated. `home` is where the root is, or will be when it is moved. Gives the
    names that it concerns.

    Raises IntegrityError for what is no layer or leads out of the root.
    """
    header = _read_header(source)
    source.seek(0)
    archive.unpack(source, root, outside_links=True, beat=beat)
    for name in sorted(header.deleted, reverse=True):
        _delete(root, _checked(name))
    if header.root and header.root != str(home):
        for name in header.rooted:
            _move_root(root, _checked(name), os.fsencode(header.root), os.fsencode(home))
    for name in sorted(header.modes, reverse=True):
        if _is_inside(root, _checked(name)) and not (root / name).is_symlink():
            (root / name).chmod(header.modes[name] & 0o777)
    return [*header.names, *header.deleted]


def remove_tree(path: Path) -> None:
    """Also what steps have made read-only."""
    with contextlib.suppress(FileNotFoundError):
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)
        shutil.rmtree(path)


def _header(root: Path, names: Sequence[str], deleted: Sequence[str], made_by: str, beat: Beat) -> LayerHeader:
    modes: dict[str, int] = {}
    rooted: list[str] = []
    for name in names:
        beat()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            mode = (root / name).lstat().st_mode
            if not stat.S_ISLNK(mode) and (stat.S_ISDIR(mode) or mode & 0o777 != _PLAIN[bool(mode & 0o100)]):
                modes[name] = mode & 0o777
            if _names_root(root / name, mode, os.fsencode(root)):
                rooted.append(name)
    return LayerHeader(made_by=made_by, root=str(root), names=list(names), rooted=rooted, deleted=list(deleted), modes=modes)


def _names_root(path: Path, mode: int, root: bytes) -> bool:
    if stat.S_ISLNK(mode):
        return os.fsencode(path.readlink()).startswith(root)
    if not stat.S_ISREG(mode) or not 0 < path.stat().st_size <= _MOST_TEXT:
        return False
    content = path.read_bytes()
    return root in content and b"\0" not in content


def _add(tar: tarfile.TarFile, path: Path, name: str, beat: Beat) -> None:
    """The size is that of the open file, and no byte more or less is written, whoever else writes to it meanwhile."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        status = path.lstat()
        info = tarfile.TarInfo(name)
        info.mtime = int(status.st_mtime)
        info.mode = 0o755 if stat.S_ISDIR(status.st_mode) or status.st_mode & 0o100 else 0o644
        if stat.S_ISDIR(status.st_mode):
            info.type = tarfile.DIRTYPE
            tar.addfile(info)
        elif stat.S_ISLNK(status.st_mode):
            info.type, info.linkname = tarfile.SYMTYPE, str(path.readlink())
            tar.addfile(info)
        elif stat.S_ISREG(status.st_mode):
            with path.open("rb") as content:
                info.size = os.fstat(content.fileno()).st_size
                tar.addfile(info, _Padded(content, beat))  # type: ignore[arg-type]


class _Padded:
    """A file that gives as many bytes as it is asked for: one that shrinks while it is read must not break the archive. It has
    changed, so the layer of whoever changed it will hold it whole."""

    def __init__(self, file: IO[bytes], beat: Beat) -> None:
        self._file = file
        self._beat = beat

    def read(self, size: int) -> bytes:
        self._beat()
        return self._file.read(size).ljust(size, b"\0")


def _read_header(source: IO[bytes]) -> LayerHeader:
    try:
        with tarfile.open(fileobj=source, mode="r:gz") as tar:
            return LayerHeader.model_validate(json.loads(tar.pax_headers[_HEADER]))
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError) as error:
        raise IntegrityError(f"the archive is no layer: {error}") from error


def _checked(name: str) -> str:
    if name.startswith("/") or ".." in name.split("/") or not name:
        raise IntegrityError(f"the layer is refused: {name!r} leads out of it")
    return name


def _is_inside(root: Path, name: str) -> bool:
    """Whether it is there without following a link on the way."""
    above = list(Path(name).parents)[:-1]
    return not any((root / folder).is_symlink() for folder in above) and os.path.lexists(root / name)


def _delete(root: Path, name: str) -> None:
    """Folders only when they are empty: what another stage has put there stays."""
    path = root / name
    if not _is_inside(root, name):
        return
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def _move_root(root: Path, name: str, old: bytes, new: bytes) -> None:
    path = root / name
    if not _is_inside(root, name):
        return
    if path.is_symlink():
        target = os.fsencode(path.readlink())
        if target.startswith(old):
            path.unlink()
            path.symlink_to(os.fsdecode(new + target.removeprefix(old)))
    elif path.is_file():
        status = path.stat()
        path.write_bytes(path.read_bytes().replace(old, new))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def total_size(root: Path, names: Iterable[str]) -> int:
    """Bytes of the regular files among the names."""
    size = 0
    for name in names:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            status = (root / name).lstat()
            size += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return size
