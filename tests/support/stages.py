"""Stages on hosts for tests: hosts with a state folder of their own, and the records and artifacts that they share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from activities.clients.artifact_store import ArtifactStore
from activities.clients.caches import Caches
from activities.clients.capture import Capture
from activities.clients.checkout import Checkouts
from activities.clients.git import Mirrors
from activities.clients.workspaces import Workspaces
from activities.collect import ArtifactPacker, Reports
from activities.records import Records
from activities.steps.evidence import Evidence
from activities.workspace import Sealing, StageWorkspaces
from pipelines.layout import Layout
from pipelines.messages.build import StageOpen, StageSeal, StepResult, Workspace
from pipelines.messages.common import RunRequest, Status
from tests.support.repos import Repo


def host(
    state: Path,
    shared: Path,
    records: Records,
    host_id: str = "a",
    *,
    limit: int = 1 << 30,
    beat: Callable[[], object] = lambda: None,
) -> StageWorkspaces:
    """The activities of one host: its own state, artifacts in `shared`."""
    layout, store = Layout(state), ArtifactStore(shared / "artifacts")
    caches = Caches(store, records.artifacts, limit, beat)
    evidence = Evidence(records.findings, records.tests, records.coverage)
    workspaces = Workspaces(layout, host_id, Checkouts(Mirrors(layout.mirrors)), store, caches, beat)
    packer = ArtifactPacker(store, records.artifacts, host_id, beat)
    return StageWorkspaces(
        layout, workspaces, store, records.stages, Sealing(Reports(evidence), packer, caches, Capture(store, limit, beat))
    )


def request_of(repo: Repo, **more: Any) -> RunRequest:
    base = {"repo": "o/r", "clone_url": repo.url, "sha": repo.git("rev-parse", "HEAD")}
    return RunRequest(**base | more)


def opening(run: RunRequest, stage: str = "build", **more: Any) -> StageOpen:
    base = {"run": run, "run_id": run.workflow_id, "tree": "t", "stage": stage, "stage_key": ""}
    return StageOpen(**base | more)


def sealing(run: RunRequest, workspace: Workspace, stage: str = "build", **more: Any) -> StageSeal:
    base = {
        "run": run, "run_id": run.workflow_id, "tree": "t", "version": "1.0", "stage": stage, "stage_key": f"key-{stage}",
        "status": Status.passed, "steps": [], "workspace": workspace, "started_at": 5.0,
    }  # fmt: skip
    return StageSeal(**base | more)


def step(**more: Any) -> StepResult:
    return StepResult(**{"key": "k", "title": "step", "status": Status.passed} | more)


def files(tree: str | Path) -> dict[str, str]:
    """Content of all regular files but git's own, and where links point to."""
    root = Path(tree)
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith(".git/") or name == ".git" or (path.is_dir() and not path.is_symlink()):
            continue
        found[name] = f"-> {path.readlink()}" if path.is_symlink() else path.read_bytes().decode("latin-1")
    return found


def opened(on: StageWorkspaces, run: RunRequest, stage: str = "build", **more: object) -> Workspace:
    """The workspace that opening a stage gives."""
    workspace = on.open(opening(run, stage, **more)).workspace
    assert workspace is not None
    return workspace


def write(workspace: Workspace, name: str, content: str) -> None:
    path = Path(workspace.path, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def marker_of(workspace: Workspace) -> Path:
    return Path(workspace.path).parent / "marker.json"
