"""Caches: a path of the workspace kept between runs, found by the content of its key files."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from activities.base import heartbeat
from activities.clients import archive, manifests
from activities.clients.archive import Beat
from activities.clients.artifact_store import ArtifactStore
from activities.clients.beats import Sparing
from activities.clients.layers import apply_layer, total_size, write_layer
from pipelines.errors import IntegrityError, NotFound, SpecError, StepFailed
from pipelines.messages.artifacts import ArtifactMetadata, StoredArtifact
from pipelines.messages.common import ArtifactRef, RunRequest
from pipelines.spec import CacheSpec


class ArtifactRecords(Protocol):
    """As activities.records.artifacts.Artifacts."""

    def store(self, ref: ArtifactRef, metadata: ArtifactMetadata | None = None) -> None: ...

    def list(self, *, repo: str | None = None, name: str | None = None, kind: str | None = None) -> Sequence[StoredArtifact]: ...

    def touch(self, digest: str) -> bool: ...


class Caches:
    """`limit`: bytes above which a path is not kept."""

    def __init__(self, store: ArtifactStore, records: ArtifactRecords, limit: int = 1 << 30, beat: Beat = heartbeat) -> None:
        self._store = store
        self._records = records
        self._limit = limit
        self._beat = Sparing(beat)

    def restore(self, tree: Path, scratch: Path, cache: CacheSpec, run: RunRequest) -> str:
        """Put the newest cache with the right key at its path, unless something is there; it appears whole or not at all.

        Gives the key, '' when there are no key files. Raises SpecError for a path that leads out of the workspace.
        """
        target = _inside(tree, cache.path)
        key = content_key(tree, cache)
        if not key or os.path.lexists(target):
            return key
        for scope in _trusted(run):
            found = self._find(run, _name(key, scope))
            if found and self._unpack(found.digest, tree, scratch):
                target.parent.mkdir(parents=True, exist_ok=True)
                (scratch / cache.path).rename(target)
                self._records.touch(found.digest)
                break
        return key

    def save(self, tree: Path, scratch: Path, cache: CacheSpec, run: RunRequest, key: str) -> str:
        """Keep the path under the key, unless there is one already. Gives a note when it is too large, else ''."""
        target = _inside(tree, cache.path)
        name = _name(key, _scope(run))
        if not key or not os.path.lexists(target) or self._find(run, name):
            return ""
        names = [cache.path]
        if target.is_dir() and not target.is_symlink():
            names += [f"{cache.path}/{below}" for below in sorted(manifests.scan(target, (), self._beat))]
        if total_size(tree, names) > self._limit:
            return f"cache {cache.path} is larger than {self._limit >> 20} MiB and is not kept"
        scratch.mkdir(parents=True, exist_ok=True)
        with (scratch / "cache").open("wb") as file:
            write_layer(file, tree, names, [], name, self._beat)
        ref = self._store.put_file(scratch / "cache", name, kind="cache")
        self._records.store(ref, ArtifactMetadata(repo=run.repo, run_id=run.workflow_id, sha=run.sha))
        return ""

    def _find(self, run: RunRequest, name: str) -> ArtifactRef | None:
        known = self._records.list(repo=run.repo, name=name, kind="cache")
        return next((item.ref for item in known if self._store.has(item.ref.digest)), None)

    def _unpack(self, digest: str, tree: Path, scratch: Path) -> bool:
        """False when the cache is damaged or gone by now: then there is none."""
        try:
            with self._store.open(digest) as source:
                apply_layer(source, scratch, tree, self._beat)
        except (NotFound, IntegrityError):
            return False
        return True


def content_key(tree: Path, cache: CacheSpec) -> str:
    """A hash of the path, the platform, and names and content of the key files; '' when none of them is there."""
    try:
        names = archive.select(tree, cache.key)
    except StepFailed:
        return ""
    digest = hashlib.sha256(f"{cache.path}\0{sys.platform}\0{platform.machine()}".encode())
    for name in names:
        if (tree / name).is_file() and not (tree / name).is_symlink():
            digest.update(f"\0{name}\0".encode("utf-8", "surrogateescape") + (tree / name).read_bytes())
    return digest.hexdigest()


def _scope(run: RunRequest) -> str:
    """What a fork's code leaves must never reach runs that have secrets."""
    return f"{run.provider}/fork" if run.fork else run.provider


def _trusted(run: RunRequest) -> list[str]:
    return list(dict.fromkeys([_scope(run), run.provider]))


def _name(key: str, scope: str) -> str:
    return f"cache-{hashlib.sha256(f'{scope}:{key}'.encode()).hexdigest()[:40]}"


def _inside(tree: Path, path: str) -> Path:
    parts = PurePosixPath(path)
    target = tree / path
    if parts.is_absolute() or ".." in parts.parts or str(parts) != path or path in (".", ".git"):
        raise SpecError(f"cache path '{path}' is not a path below the workspace", "Write it relative, without '.' and '..'")
    if not target.parent.resolve().is_relative_to(tree.resolve()):
        raise SpecError(f"cache path '{path}' leads out of the workspace by a link", "Cache what the link points to")
    return target
