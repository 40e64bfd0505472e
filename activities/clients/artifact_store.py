"""Artifacts in a folder, by the SHA-256 of their bytes. What is read is verified, what is written is whole or absent."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from activities.base import heartbeat
from activities.clients import archive
from activities.clients.archive import Beat
from pipelines.errors import IntegrityError, NotFound, Unavailable
from pipelines.messages.common import ArtifactRef

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Held:
    """A file in the store: size in bytes, and when it was put there last (Unix seconds)."""

    digest: str
    size: int
    put_at: float


class ArtifactStore:
    """Several processes and threads may use one folder at once. `beat` is called while large files are worked on."""

    def __init__(self, root: Path, beat: Beat = heartbeat) -> None:
        self._root = root
        self._beat = beat
        for folder in (root / "sha256", root / "incoming"):
            folder.mkdir(parents=True, exist_ok=True)

    def put_bytes(self, data: bytes, name: str, kind: str = "report", version: str = "") -> ArtifactRef:
        with self._incoming() as (file, writer):
            writer.write(data)
            return self._keep(file, writer, name, kind, version)

    def put_file(self, path: Path, name: str, kind: str = "archive", version: str = "") -> ArtifactRef:
        """Copies the file; what happens to it afterwards does not matter. Raises NotFound when it is not there."""
        if not path.is_file():
            raise NotFound(f"{path} is not a file")
        with self._incoming() as (file, writer), path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                writer.write(chunk)
                self._beat()
            return self._keep(file, writer, name, kind, version)

    def pack(
        self,
        root: Path,
        paths: Sequence[str],
        name: str,
        *,
        exclude: Sequence[str] = (),
        kind: str = "archive",
        version: str = "",
    ) -> ArtifactRef:
        """An archive of what the globs `paths` match below `root`; see archive.select and archive.pack for what is refused."""
        return self.pack_names(root, archive.select(root, paths, exclude), name, kind=kind, version=version)

    def pack_names(
        self,
        root: Path,
        names: Sequence[str],
        name: str,
        *,
        kind: str = "archive",
        version: str = "",
        outside_links: bool = False,
        keep_times: bool = False,
    ) -> ArtifactRef:
        """An archive of exactly these names below `root`, for layers and caches."""
        with self._incoming() as (file, writer):
            archive.pack(writer, root, names, outside_links=outside_links, keep_times=keep_times, beat=self._beat)
            return self._keep(file, writer, name, kind, version)

    def has(self, digest: str) -> bool:
        return self._place(digest).is_file()

    def path(self, digest: str) -> Path:
        """The file, verified now; never write to it. Raises NotFound, or IntegrityError when its bytes are not the digest's."""
        self.open(digest).close()
        return self._place(digest)

    def open(self, digest: str) -> IO[bytes]:
        """The bytes, verified before the first is read. Raises as `path`."""
        place = self._place(digest)
        try:
            file = place.open("rb")
        except FileNotFoundError:
            raise NotFound(f"artifact {digest} is not in the store", "Run the stage that makes it again") from None
        if f"sha256:{self._hash(file)}" != digest:
            file.close()
            raise IntegrityError(f"artifact {digest} is damaged: its bytes have changed", "Run the stage that makes it again")
        file.seek(0)
        return file

    def read(self, digest: str) -> bytes:
        """All the bytes of a small artifact. Raises as `path`."""
        with self.open(digest) as file:
            return file.read()

    def unpack(self, digest: str, folder: Path) -> None:
        """Unpack into `folder`, which appears whole or not at all; one that is there is taken for done.

        Raises NotFound and IntegrityError.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = folder.with_name(f".{folder.name}.partial")
        with _locked(folder.parent):
            if folder.exists():
                return
            shutil.rmtree(partial, ignore_errors=True)
            self.unpack_over(digest, partial, outside_links=False)
            partial.rename(folder)
            _sync(folder.parent)

    def unpack_over(self, digest: str, folder: Path, *, outside_links: bool = True) -> None:
        """Unpack a layer or cache over what `folder` has. Can be repeated. Raises NotFound and IntegrityError."""
        with self.open(digest) as file:
            archive.unpack(file, folder, outside_links=outside_links, beat=self._beat)

    def held(self) -> Iterator[Held]:
        """Everything in the store."""
        for path in sorted((self._root / "sha256").glob("??/*")):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            yield Held(f"sha256:{path.name}", status.st_size, status.st_mtime)

    def remove(self, digest: str, unless_put_after: float | None = None) -> int:
        """Bytes freed; 0 when it is not there, or was put there again after `unless_put_after` (Unix seconds)."""
        place = self._place(digest)
        with _locked(self._root):
            try:
                status = place.stat()
            except FileNotFoundError:
                return 0
            if unless_put_after is not None and status.st_mtime > unless_put_after:
                return 0
            place.unlink()
            return status.st_size

    def sweep_incoming(self, older_than: float) -> int:
        """Bytes freed by removing what killed writers left behind before `older_than` (Unix seconds)."""
        freed = 0
        for path in (self._root / "incoming").iterdir():
            status = path.stat()
            if status.st_mtime < older_than:
                path.unlink(missing_ok=True)
                freed += status.st_size
        return freed

    def _place(self, digest: str) -> Path:
        found = _DIGEST.fullmatch(digest)
        if not found:
            raise NotFound(f"'{digest}' is not a digest", "A digest is sha256: and 64 hexadecimal digits")
        return self._root / "sha256" / found[1][:2] / found[1]

    def _hash(self, file: IO[bytes]) -> str:
        found = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            found.update(chunk)
            self._beat()
        return found.hexdigest()

    @contextmanager
    def _incoming(self) -> Iterator[tuple[Path, IO[bytes]]]:
        """A file to write into, gone afterwards unless it was kept. Raises Unavailable when the disk is full or broken."""
        handle, name = tempfile.mkstemp(dir=self._root / "incoming")
        path = Path(name)
        try:
            with os.fdopen(handle, "w+b") as writer:
                yield path, writer
        except OSError as error:
            raise Unavailable(f"the artifact store cannot be written: {error.strerror or error}") from error
        finally:
            path.unlink(missing_ok=True)

    def _keep(self, file: Path, writer: IO[bytes], name: str, kind: str, version: str) -> ArtifactRef:
        """Move it to its place, over an equal one too: that mends a damaged one, and makes it new for `remove`."""
        writer.flush()
        os.fsync(writer.fileno())
        size = writer.seek(0, io.SEEK_END)
        writer.seek(0)
        digest = f"sha256:{self._hash(writer)}"
        place = self._place(digest)
        place.parent.mkdir(exist_ok=True)
        file.chmod(0o444)
        with _locked(self._root, shared=True):
            os.utime(file)
            file.replace(place)
        _sync(place.parent)
        return ArtifactRef(name=name, digest=digest, size=size, kind=kind, version=version)


@contextmanager
def _locked(folder: Path, shared: bool = False) -> Iterator[None]:
    """Excludes other processes and threads; ends with the process."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    """A rename lasts through a power failure only when its folder is synced."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
