"""Stages on a host: opened with their workspace or found finished, sealed with all that they left, and cleared away."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Protocol

from activities.base import implements
from activities.clients.artifact_store import ArtifactStore
from activities.clients.caches import Caches
from activities.clients.capture import Capture, unkept
from activities.clients.workspace_folder import Marker, Sealed, WorkspaceFolder, held
from activities.clients.workspaces import Workspaces
from activities.collect import ArtifactPacker, Collected, Reports
from pipelines.errors import WorkspaceLost
from pipelines.layout import Layout
from pipelines.messages.build import StageOpen, StageOpened, StageResult, StageSeal, WorkspaceDone
from pipelines.messages.common import ArtifactRef, Nothing, Status
from pipelines.ports import DROP_WORKSPACES, OPEN_STAGE, SEAL_STAGE


class StageRecords(Protocol):
    """As activities.records.stages.Stages."""

    def find(self, stage_key: str) -> StageResult | None: ...

    def adopt(self, stage_key: str, run_id: str, stage: str) -> StageResult | None: ...

    def store(self, stage_key: str, run_id: str, result: StageResult) -> None: ...


@dataclass(frozen=True)
class Sealing:
    """What sealing is made of."""

    reports: Reports
    artifacts: ArtifactPacker
    caches: Caches
    capture: Capture


class StageWorkspaces:
    """Implements OPEN_STAGE, SEAL_STAGE and DROP_WORKSPACES; every method can be repeated, and interrupted anywhere."""

    def __init__(
        self, layout: Layout, workspaces: Workspaces, store: ArtifactStore, stages: StageRecords, sealing: Sealing
    ) -> None:
        self._layout = layout
        self._workspaces = workspaces
        self._store = store
        self._stages = stages
        self._sealing = sealing

    @implements(OPEN_STAGE)
    def open(self, request: StageOpen) -> StageOpened:
        """An equal stage that passed, if everything that it left is still there; otherwise the workspace, when one is needed.

        Raises SourceError when the commit, a submodule or a layer cannot be had, Busy and Unavailable when they may be later.
        """
        if request.stage_key and request.run.reuse and (reused := self._finished(request)):
            return StageOpened(reused=reused)
        return StageOpened(workspace=self._workspaces.open(request) if request.need_workspace else None)

    @implements(SEAL_STAGE)
    def seal(self, seal: StageSeal) -> StageResult:
        """Reports, artifacts and caches, and the layer, also of a stage that failed, so that a retry goes on behind its passed
        steps. What passed is stored under the stage's key, unless its layer was too large to keep: the result's `note` says so.

        Raises StepFailed when a stage that passed has not left what it declares, WorkspaceLost when its workspace is gone.
        """
        place = WorkspaceFolder.of(self._layout, seal.run_id, seal.workspace.name)
        with held(self._layout, seal.run_id, seal.workspace.name):
            marker = self._marker(place, seal)
            passed = seal.status == Status.passed
            collected = self._sealing.reports.collect(place.tree, seal)
            artifacts = self._sealing.artifacts.pack(place.tree, seal) if passed else []
            if passed:
                collected.notes += self._save_caches(place, marker, seal)
            # Last, so that what is done in a stage whose reports or artifacts are refused goes into a later layer.
            layer = self._sealing.capture.layer(place, marker, seal) if seal.layer else Sealed(request="")
        return self._record(seal, collected, artifacts, layer)

    @implements(DROP_WORKSPACES)
    def drop(self, done: WorkspaceDone) -> Nothing:
        for workspace in done.workspaces:
            self._workspaces.drop(done.run_id, workspace.name)
        return Nothing()

    def _finished(self, request: StageOpen) -> StageResult | None:
        found = self._stages.find(request.stage_key)
        if found is None or not all(self._store.has(ref.digest) for ref in _left(found)):
            return None
        adopted = self._stages.adopt(request.stage_key, request.run_id, request.stage)
        if adopted is None or _left(adopted) != _left(found):
            return None
        return adopted.model_copy(update={"stage": request.stage, "status": Status.reused})

    def _marker(self, place: WorkspaceFolder, seal: StageSeal) -> Marker:
        marker = place.read()
        if marker is None or marker.generation != seal.workspace.generation or not place.has_tree:
            raise WorkspaceLost(f"workspace {seal.workspace.name} of {seal.run_id} is no longer on this host", "Retry the stage")
        return marker

    def _save_caches(self, place: WorkspaceFolder, marker: Marker, seal: StageSeal) -> list[str]:
        notes = [
            self._sealing.caches.save(place.tree, place.scratch, cache, seal.run, marker.caches.get(cache.path, ""))
            for cache in seal.caches
        ]
        shutil.rmtree(place.scratch, ignore_errors=True)
        return [note for note in notes if note]

    def _record(self, seal: StageSeal, collected: Collected, artifacts: list[ArtifactRef], layer: Sealed) -> StageResult:
        result = StageResult(
            stage=seal.stage,
            status=seal.status,
            steps=seal.steps,
            tests=collected.tests,
            coverage=collected.coverage,
            findings=collected.findings,
            artifacts=artifacts,
            layer=layer.layer,
            note="; ".join([*collected.notes, *([layer.note] if layer.note else [])]),
        )
        if layer.layer and unkept(layer.layer):
            self._stages.store("", seal.run_id, result.model_copy(update={"layer": None}))
        else:
            self._stages.store(seal.stage_key if seal.status == Status.passed else "", seal.run_id, result)
        return result


def _left(result: StageResult) -> list[ArtifactRef]:
    return [*result.artifacts, *([result.layer] if result.layer else [])]
