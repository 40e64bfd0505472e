"""What is on disk of one workspace: the tree, and beside it what is known of it.

    <workspaces>/<run>/<name>/tree          the checkout, in which steps run
    <workspaces>/<run>/<name>/marker.json   commit, generation, layers that the tree has
    <workspaces>/<run>/<name>/manifest-N    how the files looked after the N-th layer
    <workspaces>/<run>/.<name>.partial      one that is being made; it is renamed when it is whole

The marker is written last, and names the manifest that it goes with, so that whatever is half done is done again.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from activities.clients import manifests
from activities.clients.files import locked, write_whole
from activities.clients.layers import remove_tree
from activities.clients.manifests import Manifest
from pipelines.layout import Layout, slug
from pipelines.messages.common import ArtifactRef, Message

_PATIENCE = 600.0
_LOCKS = 4096


class Sealed(Message):
    """The layer that a sealing captured: asking again with the same `request` (a hash) gets the same answer."""

    request: str
    layer: ArtifactRef | None = None
    note: str = ""


class Marker(Message):
    """`layers`: digests of what the tree has beside the commit, in order. `caches`: by path, the key that was right when the
    cache was looked for. `skip`: the `.git` folders, which are no stage's work."""

    sha: str
    generation: int = 1
    layers: list[str] = Field(default_factory=list)
    caches: dict[str, str] = Field(default_factory=dict)
    skip: list[str] = Field(default_factory=list)
    manifest: int = 0
    sealed: dict[str, Sealed] = Field(default_factory=dict)


@dataclass(frozen=True)
class WorkspaceFolder:
    """Pure paths, and the reading and writing of the marker and its manifest. `folder` holds them all."""

    folder: Path

    @classmethod
    def of(cls, layout: Layout, run_id: str, name: str) -> WorkspaceFolder:
        return cls(layout.workspaces / slug(run_id) / slug(name))

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    @property
    def has_tree(self) -> bool:
        """False too when a step has put a link in its place."""
        return self.tree.is_dir() and not self.tree.is_symlink()

    @property
    def partial(self) -> WorkspaceFolder:
        return WorkspaceFolder(self.folder.with_name(f".{self.folder.name}.partial"))

    @property
    def scratch(self) -> Path:
        """For files on their way; whatever is there is left over."""
        return self.folder / "scratch"

    def read(self) -> Marker | None:
        try:
            return Marker.model_validate_json((self.folder / "marker.json").read_bytes())
        except FileNotFoundError:
            return None

    def write(self, marker: Marker) -> None:
        write_whole(self.folder / "marker.json", marker.model_dump_json())

    def write_with(self, marker: Marker, manifest: Manifest) -> Marker:
        """The marker with its new manifest; the older ones go when nothing names them any more."""
        number = marker.manifest + 1
        manifests.save(manifest, self.folder / f"manifest-{number}")
        marker = marker.model_copy(update={"manifest": number})
        self.write(marker)
        for old in self.folder.glob("manifest-*"):
            if old.name != f"manifest-{number}":
                old.unlink(missing_ok=True)
        return marker

    def manifest(self, marker: Marker) -> Manifest:
        return manifests.load(self.folder / f"manifest-{marker.manifest}")

    def remove(self) -> None:
        """Renamed first: nobody ever finds half of it."""
        self.partial.folder.parent.mkdir(parents=True, exist_ok=True)
        trash = self.folder.with_name(f".{self.folder.name}.{uuid.uuid4().hex}.trash")
        if self.folder.exists():
            self.folder.rename(trash)
        for left in self.folder.parent.glob(f".{self.folder.name}.*.trash"):
            remove_tree(left)
        remove_tree(self.partial.folder)


@contextmanager
def held(layout: Layout, run_id: str, name: str) -> Iterator[int]:
    """One activity at a time opens, seals or drops a workspace. The locks outlive the folders, so there is a fixed number."""
    number = int(hashlib.sha256(f"{run_id}\0{name}".encode()).hexdigest(), 16) % _LOCKS
    with locked(layout.workspaces / ".locks" / f"{number:04d}", f"workspace {name} of {run_id}", _PATIENCE) as lock:
        yield lock
