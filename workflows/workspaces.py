"""The run's workspaces: which host holds each, and what happens when a host is lost."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError

from pipelines.messages.build import StageOpen, StageOpened, Workspace, WorkspaceDone
from pipelines.messages.common import ArtifactRef
from pipelines.ports import DROP_WORKSPACES, OPEN_STAGE
from workflows.calls import call, why
from workflows.run_book import Page, RunBook


class Workspaces:
    """Remembers, per workspace name and service queue, the host on which the steps run."""

    def __init__(self, book: RunBook) -> None:
        self._book = book
        self._open: dict[tuple[str, str], Workspace] = {}
        self._generations: dict[str, int] = {}
        self._made: list[Workspace] = []
        self._lost: list[Workspace] = []

    async def open(self, page: Page, queue: str, *, look_up: bool) -> StageOpened:
        """The stage's workspace on a host of `queue`, ready for its next step; or, when looking up, an equal finished stage."""
        stage, name = page.instance.stage, workspace_name(page)
        opened = await call(
            OPEN_STAGE,
            StageOpen(
                run=self._book.request,
                run_id=self._book.run_id,
                tree=self._book.commit.tree,
                stage=page.name,
                stage_key=page.key if look_up else "",
                workspace=name,
                generation=self._generations.get(name, 1),
                layers=self._layers(page, name),
                caches=stage.caches,
                need_workspace=True,
            ),
            f"workspace for {page.name}",
            queue=queue,
            attempts=stage.retry.infrastructure + 1,
        )
        if opened.workspace:
            self._open[name, queue] = opened.workspace
            self._made += [opened.workspace] if opened.workspace not in self._made else []
        return opened

    def _layers(self, page: Page, name: str) -> list[ArtifactRef]:
        """The shared workspace has what every finished stage left; an isolated one only what its needs left."""
        if name == "shared":
            return list(self._book.layers)
        return self._book.layers_of(list(page.instance.all_needs))

    async def on(self, page: Page, queue: str) -> Workspace:
        """The workspace that is open on that queue's host, opened when there is none."""
        known = self._open.get((workspace_name(page), queue))
        if known:
            return known
        opened = await self.open(page, queue, look_up=False)
        if opened.workspace is None:
            raise ValueError("a workspace was asked for and not given")
        return opened.workspace

    def lost(self, workspace: Workspace, reason: str) -> None:
        """Whatever is open on the workspace's host is opened anew, on whichever host takes it; said twice, it is lost once."""
        if self.is_lost(workspace):
            return
        evidence = {"host": workspace.host, "workspace": workspace.name, "generation": str(workspace.generation)}
        self._book.teller.audit("workspace.lost", "switchyard", reason, **evidence)
        gone = [other for other in self._open.values() if other.host == workspace.host and other != workspace]
        for each in [workspace, *gone]:
            self._lost.append(each)
            self._generations[each.name] = max(self._generations.get(each.name, 1), each.generation + 1)
        self._open = {key: other for key, other in self._open.items() if other not in self._lost}

    def is_lost(self, workspace: Workspace) -> bool:
        return workspace in self._lost

    async def drop(self) -> None:
        """Best effort: what stays behind is swept by retention."""
        hosts: dict[str, list[Workspace]] = {}
        for workspace in [made for made in self._made if made not in self._lost]:
            hosts.setdefault(workspace.queue, []).append(workspace)
        for queue, workspaces in hosts.items():
            done = WorkspaceDone(run_id=self._book.run_id, workspaces=workspaces)
            try:
                await call(DROP_WORKSPACES, done, "remove the workspaces", queue=queue, attempts=2)
            except ActivityError as error:
                workflow.logger.info("workspaces stay until they are swept: %s", why(error))


def workspace_name(page: Page) -> str:
    """'shared', or a name of its own for an isolated stage and for each cell of a matrix."""
    stage = page.instance.stage
    kind = stage.workspace or ("isolated" if page.instance.cell else "shared")
    return "shared" if kind == "shared" else page.name
