"""Capturing what a stage left in its workspace as a layer."""

from __future__ import annotations

import hashlib

from activities.base import heartbeat
from activities.clients import manifests
from activities.clients.archive import Beat
from activities.clients.artifact_store import ArtifactStore
from activities.clients.beats import Sparing
from activities.clients.layers import remove_tree, total_size, write_layer
from activities.clients.manifests import Difference
from activities.clients.workspace_folder import Marker, Sealed, WorkspaceFolder
from pipelines.messages.build import StageSeal
from pipelines.messages.common import ArtifactRef, Status

_UNKEPT = "unkept:"
_DRAFT = "draft-layer"


class Capture:
    """`limit`: bytes above which a layer is not kept."""

    def __init__(self, store: ArtifactStore, limit: int = 1 << 30, beat: Beat = heartbeat) -> None:
        self._store = store
        self._limit = limit
        self._beat = Sparing(beat)

    def layer(self, place: WorkspaceFolder, marker: Marker, seal: StageSeal) -> Sealed:
        """All that was added, changed and deleted since the last layer, ignored files too, and what stages at work beside this
        one have done by now: a workspace that is shared is shared. Repeated with the same input, it gives the same answer.

        What a stage that failed leaves is a draft, for a retry elsewhere: the layer of the try that passes has all of it once
        more, because that layer alone is what a later run takes over."""
        request = hashlib.sha256(seal.model_dump_json().encode()).hexdigest()
        known = marker.sealed.get(seal.stage)
        if known and known.request == request:
            return known
        before = place.manifest(marker)
        after = manifests.scan(place.tree, set(marker.skip), self._beat)
        found = manifests.difference(place.tree, before, after)
        if not found:
            sealed = Sealed(request=request)
            place.write(_with(marker, seal.stage, sealed))
            return sealed
        sealed = self._keep(place, marker, seal, found, request)
        marker = _with(marker, seal.stage, sealed)
        if seal.status == Status.passed:
            place.write_with(marker, after)
        else:
            place.write(marker)
        return sealed

    def _keep(self, place: WorkspaceFolder, marker: Marker, seal: StageSeal, found: Difference, request: str) -> Sealed:
        made_by = f"{seal.run_id}/{seal.stage}/{marker.manifest}/{seal.status}"
        kind = "layer" if seal.status == Status.passed else _DRAFT
        size = total_size(place.tree, found.changed)
        if size > self._limit:
            note = f"{seal.stage} left {size >> 20} MiB in its workspace, more than the {self._limit >> 20} MiB that are kept"
            digest = _UNKEPT + hashlib.sha256(made_by.encode()).hexdigest()
            return Sealed(request=request, layer=ArtifactRef(name=note, digest=digest, size=size, kind=kind), note=note)
        remove_tree(place.scratch)
        place.scratch.mkdir()
        with (place.scratch / "layer").open("wb") as file:
            write_layer(file, place.tree, found.changed, found.deleted, made_by, self._beat)
        layer = self._store.put_file(place.scratch / "layer", f"layer-{seal.stage}", kind=kind)
        remove_tree(place.scratch)
        return Sealed(request=request, layer=layer)


def unkept(layer: ArtifactRef) -> str:
    """Why the layer was not kept, '' when it was. Such a layer is in the workspace that it was made in, and nowhere else."""
    return layer.name if layer.digest.startswith(_UNKEPT) else ""


def is_draft(layer: ArtifactRef) -> bool:
    """What brought it is the work of a stage that has not passed yet, and belongs to its next layer too."""
    return layer.kind == _DRAFT


def _with(marker: Marker, stage: str, sealed: Sealed) -> Marker:
    layers = [*marker.layers, sealed.layer.digest] if sealed.layer else marker.layers
    return marker.model_copy(update={"layers": layers, "sealed": marker.sealed | {stage: sealed}})
