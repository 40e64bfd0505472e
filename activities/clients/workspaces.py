"""Workspaces of this host: a commit's checkout with the layers of the stages before, made once, opened in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from activities.base import heartbeat
from activities.clients import manifests
from activities.clients.archive import Beat
from activities.clients.artifact_store import ArtifactStore
from activities.clients.beats import Sparing
from activities.clients.caches import Caches
from activities.clients.capture import is_draft, unkept
from activities.clients.checkout import Checkouts
from activities.clients.clone_url import CloneUrl
from activities.clients.layers import apply_layer, remove_tree
from activities.clients.workspace_folder import Marker, WorkspaceFolder, held
from pipelines.errors import IntegrityError, NotFound, SourceError
from pipelines.layout import Layout
from pipelines.messages.build import StageOpen, Workspace
from pipelines.messages.common import ArtifactRef


def host_queue(host_id: str) -> str:
    """The host's own task queue."""
    return f"host-{host_id}"


class Workspaces:
    def __init__(
        self,
        layout: Layout,
        host_id: str,
        checkouts: Checkouts,
        store: ArtifactStore,
        caches: Caches,
        beat: Beat = heartbeat,
    ) -> None:
        self._layout = layout
        self._host = host_id
        self._checkouts = checkouts
        self._store = store
        self._caches = caches
        self._beat = Sparing(beat)

    def open(self, request: StageOpen) -> Workspace:
        """The workspace with all its layers and caches. One of an earlier generation is made anew: since this host was given up,
        other hosts may have gone on with it. Can be repeated, and interrupted anywhere.

        Raises SourceError when the commit or a layer cannot be had, Busy and Unavailable when they may be later.
        """
        place = WorkspaceFolder.of(self._layout, request.run_id, request.workspace)
        with held(self._layout, request.run_id, request.workspace) as lock:
            marker = place.read()
            if marker is None or not _fits(marker, place, request):
                marker = self._make(place, request, lock)
            marker = self._apply(place, marker, request.layers)
            marker = self._restore(place, marker, request)
        return Workspace(
            name=request.workspace,
            queue=host_queue(self._host),
            host=self._host,
            path=str(place.tree),
            generation=marker.generation,
        )

    def drop(self, run_id: str, name: str) -> None:
        """Nothing happens when it is not there."""
        place = WorkspaceFolder.of(self._layout, run_id, name)
        if not place.folder.parent.is_dir():
            return
        with held(self._layout, run_id, name):
            place.remove()
        if not any(place.folder.parent.iterdir()):
            place.folder.parent.rmdir()

    def _make(self, place: WorkspaceFolder, request: StageOpen, lock: int) -> Marker:
        place.remove()
        partial = place.partial
        partial.folder.mkdir(parents=True)
        skip = self._checkouts.fill(partial.tree, CloneUrl.parse(request.run.clone_url), request.run.sha, hold=[lock])
        manifest = manifests.scan(partial.tree, set(skip), self._beat)
        marker = partial.write_with(Marker(sha=request.run.sha, generation=request.generation, skip=skip), manifest)
        partial.folder.rename(place.folder)
        return marker

    def _apply(self, place: WorkspaceFolder, marker: Marker, layers: Sequence[ArtifactRef]) -> Marker:
        """Only what a layer names is looked at anew: other stages may be at work in the same tree."""
        for layer in layers:
            if layer.digest in marker.layers:
                continue
            names = self._unpack(layer, place.tree)
            marker = marker.model_copy(update={"layers": [*marker.layers, layer.digest]})
            if is_draft(layer):
                place.write(marker)
                continue
            manifest = place.manifest(marker)
            for name in names:
                manifest.pop(name, None)
            manifest |= manifests.look(place.tree, names)
            marker = place.write_with(marker, manifest)
        return marker

    def _unpack(self, layer: ArtifactRef, tree: Path) -> list[str]:
        if why := unkept(layer):
            raise SourceError(f"the workspace cannot be rebuilt on another host: {why}", "Start the run again")
        try:
            with self._store.open(layer.digest) as source:
                return apply_layer(source, tree, tree, self._beat)
        except (NotFound, IntegrityError) as error:
            raise SourceError(f"the workspace cannot be rebuilt: {error.message}", "Start the run again without reuse") from None

    def _restore(self, place: WorkspaceFolder, marker: Marker, request: StageOpen) -> Marker:
        """Each cache once: afterwards its path is the steps' own."""
        found = dict(marker.caches)
        for cache in request.caches:
            if cache.path in found:
                continue
            remove_tree(place.scratch)
            found[cache.path] = self._caches.restore(place.tree, place.scratch, cache, request.run)
        if found == marker.caches:
            return marker
        remove_tree(place.scratch)
        marker = marker.model_copy(update={"caches": found})
        place.write(marker)
        return marker


def _fits(marker: Marker, place: WorkspaceFolder, request: StageOpen) -> bool:
    return marker.sha == request.run.sha and marker.generation >= request.generation and place.has_tree
