"""Artifacts: retention."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from activities.base import heartbeat, implements
from activities.clients.artifact_store import ArtifactStore
from activities.records import Records
from pipelines.layout import Layout, slug
from pipelines.messages.common import ArtifactRef
from pipelines.messages.quality import RetentionInput, RetentionResult
from pipelines.ports import SWEEP_ARTIFACTS
from pipelines.retention import needed_by_environments, removable

_NAMED = 200
_DAY = 86_400.0


class Retention:
    """Implements SWEEP_ARTIFACTS on one host's store and folders. `clock` gives Unix seconds."""

    def __init__(self, store: ArtifactStore, records: Records, layout: Layout, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._records = records
        self._layout = layout
        self._clock = clock

    @implements(SWEEP_ARTIFACTS)
    def sweep(self, policy: RetentionInput) -> RetentionResult:
        """Remove what pipelines.retention says, files that nobody knows of, and the logs, steps and workspaces of runs that ended
        more than `min_age` seconds ago. With `dry_run`, only say what would go. Can be repeated, and interrupted anywhere."""
        now = self._clock()
        candidates = [*self._unneeded(policy, now), *self._unknown(policy, now)]
        total = sum(1 for _ in self._store.held())
        gone = candidates if policy.dry_run else [ref for ref in candidates if self._remove(ref.digest, now)]
        folders = list(self._folders(now - policy.min_age))
        freed = sum(ref.size for ref in gone) + sum(self._drop(folder, policy.dry_run) for folder in folders)
        if not policy.dry_run:
            freed += self._store.sweep_incoming(now - _DAY)
            self._records.samples.prune(now - max(policy.min_age, _DAY))
        return RetentionResult(
            removed=gone[:_NAMED], count=len(gone), folders=len(folders), kept=max(0, total - len(gone)), freed=freed
        )

    def _unneeded(self, policy: RetentionInput, now: float) -> list[ArtifactRef]:
        artifacts = self._records.artifacts.list()
        deployments = self._records.deployments.recent(limit=None)
        return removable(artifacts, deployments, policy, now, self._records.runs.unfinished())

    def _unknown(self, policy: RetentionInput, now: float) -> Iterator[ArtifactRef]:
        """Files that a killed writer or a killed sweep left without a record."""
        known = {item.ref.digest for item in self._records.artifacts.list()}
        known |= needed_by_environments(self._records.deployments.recent(limit=None))
        for held in self._store.held():
            if held.digest not in known and now - held.put_at > policy.min_age:
                yield ArtifactRef(name="unrecorded", digest=held.digest, size=held.size)

    def _remove(self, digest: str, decided_at: float) -> bool:
        """The record first: what has a record must have its file. Nothing, if it was used since the decision."""
        heartbeat()
        if not self._records.artifacts.remove(digest, unused_since=decided_at):
            return False
        self._store.remove(digest, unless_put_after=decided_at)
        return True

    def _folders(self, ended_before: float) -> Iterator[Path]:
        """Logs and workspaces are kept by run, steps by their own keys."""
        runs = {slug(run_id) for run_id in self._records.runs.finished_before(ended_before)}
        steps = {slug(key) for key in self._records.steps.keys_finished_before(ended_before)}
        for base, names in ((self._layout.logs, runs), (self._layout.workspaces, runs), (self._layout.steps, steps)):
            if base.is_dir():
                yield from sorted(entry for entry in base.iterdir() if entry.name in names and entry.is_dir())

    def _drop(self, folder: Path, dry_run: bool) -> int:
        heartbeat()
        size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        if not dry_run:
            shutil.rmtree(folder, ignore_errors=True)
        return size
