"""A world of its own for one test: what exists outside, what happens on which call, and everything that was called."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from pipelines.messages.build import StageResult, Workspace
from pipelines.messages.common import Audit, RunRequest
from pipelines.messages.notify import DeploymentRecord, Event, Notification, RunRecord
from pipelines.messages.runs import RunResult, RunView
from pipelines.ports import AUDIT, RECORD_RUN, Port
from pipelines.spec import Pipeline
from starter.runs import start
from tests.support.fakes.behaviours import Behaviour
from tests.support.fakes.cluster import Cluster

_KEYS: dict[str, Callable[[Any], str]] = {
    "step.run": lambda arg: f"{arg.stage}/{arg.index}",
    "stage.open": lambda arg: str(arg.stage),
    "stage.seal": lambda arg: str(arg.stage),
    "quality.gate": lambda arg: str(arg.stage),
    "deploy.prepare": lambda arg: str(arg.place.key),
    "deploy.ensure": lambda arg: str(arg.release.id),
    "deploy.inspect": lambda arg: str(arg.id),
    "deploy.watch": lambda arg: str(arg.id),
    "deploy.retire": lambda arg: str(arg.release_id),
    "deploy.check": lambda arg: "preview" if arg.preview else str(arg.place.key),
    "traffic.route": lambda arg: ",".join(f"{name}={weight}" for name, weight in sorted(arg.weights.items())),
    "traffic.current": lambda arg: str(arg.key),
    "measure.judge": lambda arg: str(arg.candidate),
    "environment.request": lambda arg: str(arg.release.place.key),
    "environment.load": lambda arg: str(arg.key),
    "group.join": lambda arg: str(arg.group),
    "group.alive": lambda arg: str(arg.workflow_id),
    "records.audit": lambda arg: str(arg.action),
    "records.run": lambda arg: str(arg.status),
    "records.deployment": lambda arg: str(arg.status),
    "notify.send": lambda arg: str(arg.title),
    "events.publish": lambda arg: str(arg.type),
}


def key_of(port: Port[Any, Any], arg: BaseModel) -> str:
    """What tells calls of a port apart: 'stage/index' of a step, a stage, a place, a release, an action; '' for the rest."""
    return _KEYS[port.name](arg) if port.name in _KEYS else ""


@dataclass
class Call:
    """One attempt of an activity. `started` and `ended` are ticks of a clock that all calls of the world share."""

    world: World
    port: Port[Any, Any]
    key: str
    arg: Any
    attempt: int
    queue: str
    workflow: str
    started: int
    ended: int | None = None
    outcome: str = "running"


@dataclass
class World:
    """`token` is in the repository, the service and the environments of the world, so that nobody else's calls end here."""

    client: Client
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    pipeline: Pipeline | None = None
    tree: str = ""
    changed: list[str] | None = None
    host: str = "a"
    calls: list[Call] = field(default_factory=list)
    stages: dict[str, StageResult] = field(default_factory=dict)
    workspaces: dict[tuple[str, str, str], Workspace] = field(default_factory=dict)
    artifacts: list[str] = field(default_factory=list)
    deployments: list[DeploymentRecord] = field(default_factory=list)
    audit: dict[str, Audit] = field(default_factory=dict)
    runs: list[RunRecord] = field(default_factory=list)
    told: list[Notification] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    cluster: Cluster = field(default_factory=Cluster)

    def __post_init__(self) -> None:
        self.tree = self.tree or f"tree-{self.token}"
        self._plans: dict[tuple[str, str], list[Behaviour]] = defaultdict(list)
        self._always: dict[tuple[str, str], Behaviour] = {}
        self._ticks = itertools.count(1)
        self._shas = itertools.count(1)

    @property
    def service(self) -> str:
        return f"s{self.token}"

    @property
    def repo(self) -> str:
        return f"acme/{self.token}"

    def plan(self, port: Port[Any, Any], key: str, *behaviours: Behaviour | list[Behaviour]) -> None:
        """What the next attempts do, one after another; then all is as usual. `key` as in `key_of`, or '*'."""
        flat = [each for given in behaviours for each in (given if isinstance(given, list) else [given])]
        self._plans[port.name, key].extend(flat)

    def always(self, port: Port[Any, Any], key: str, behaviour: Behaviour | None) -> None:
        """What every attempt does for which nothing else is planned; None: as usual again."""
        if behaviour is None:
            self._always.pop((port.name, key), None)
        else:
            self._always[port.name, key] = behaviour

    def behaviour(self, call: Call) -> Behaviour | None:
        for key in (call.key, "*"):
            if self._plans[call.port.name, key]:
                return self._plans[call.port.name, key].pop(0)
        return self._always.get((call.port.name, call.key)) or self._always.get((call.port.name, "*"))

    def begin(self, port: Port[Any, Any], arg: BaseModel) -> Call:
        info = activity.info()
        call = Call(
            self, port, key_of(port, arg), arg, info.attempt, info.task_queue, info.workflow_id or "", next(self._ticks)
        )  # fmt: skip
        self.calls.append(call)
        return call

    def end(self, call: Call, outcome: str) -> None:
        call.ended, call.outcome = next(self._ticks), outcome

    def of(self, port: Port[Any, Any], key: str | None = None) -> list[Call]:
        """The attempts of a port so far, oldest first."""
        return [call for call in self.calls if call.port == port and key in (None, call.key)]

    def count(self, port: Port[Any, Any], key: str | None = None) -> int:
        return len(self.of(port, key))

    def order(self, port: Port[Any, Any]) -> list[str]:
        """Keys of a port's calls in the order they began."""
        return [call.key for call in self.of(port)]

    def actions(self) -> list[str]:
        """Actions of the audit trail, each record once, in order."""
        return [entry.action for entry in self.audit.values()]

    def entry(self, action: str) -> Audit:
        """The newest audit record of that action."""
        return [entry for entry in self.audit.values() if entry.action == action][-1]

    def move_to(self, host: str) -> None:
        """The present host is gone with its workspaces; 'gone' is a host that never answers."""
        self.workspaces = {place: each for place, each in self.workspaces.items() if place[0] != self.host}
        self.host = host

    def request(self, **more: Any) -> RunRequest:
        """A commit that no other run has."""
        base = {
            "repo": self.repo, "clone_url": "https://git.example/acme.git", "branch": "main", "event": "push", "actor": "ann",
            "sha": f"{next(self._shas):04d}{self.token}".ljust(40, "0"),
        }  # fmt: skip
        return RunRequest(**(base | more))

    async def start(self, request: RunRequest | None = None) -> WorkflowHandle[Any, RunResult]:
        """As every way in starts a run."""
        started = await start(self.client, request or self.request())
        return self.client.get_workflow_handle(started.run_id, result_type=RunResult)

    async def view(self, handle: WorkflowHandle[Any, Any]) -> RunView:
        view: RunView = await handle.query("view", result_type=RunView)
        return view

    async def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Raises AssertionError with what was called when it does not become true in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "\n".join(f"{each.port.name} {each.key} {each.outcome}" for each in self.calls)
            await asyncio.sleep(0.01)

    async def until_run(self, handle: WorkflowHandle[Any, Any], status: str, seconds: float = 20.0) -> RunView:
        """Its view once the run has that status."""
        return await self.until_view(handle, lambda view: view.status == status, seconds)

    async def until_view(
        self, handle: WorkflowHandle[Any, Any], condition: Callable[[RunView], bool], seconds: float = 20.0
    ) -> RunView:
        deadline = time.monotonic() + seconds
        while not condition(view := await self.view(handle)):
            assert time.monotonic() < deadline, view.model_dump_json(indent=1)
            await asyncio.sleep(0.02)
        return view

    async def recorded(self, status: str) -> None:
        """Until the run's records say so."""
        await self.until(lambda: any(call.outcome == "done" for call in self.of(RECORD_RUN, status)))

    async def audited(self, action: str) -> Audit:
        await self.until(lambda: any(call.outcome == "done" for call in self.of(AUDIT, action)))
        return self.entry(action)


class Worlds:
    """All worlds of a session, so that the workers need be started only once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._worlds: list[World] = []
        self._nowhere = World(client)

    def new(self, token: str = "") -> World:
        world = World(self.client, token) if token else World(self.client)
        self._worlds.append(world)
        return world

    def of(self, arg: BaseModel) -> World:
        """The world whose token is in the workflow's id or in what it says; what earlier sessions left ends nowhere."""
        for text in (activity.info().workflow_id or "", arg.model_dump_json()):
            found = [world for world in self._worlds if world.token in text]
            if found:
                return max(found, key=lambda world: len(world.token))
        return self._nowhere


def step(run: str = "make", **more: Any) -> dict[str, Any]:
    return {"run": run, **more}


def pipeline(stages: Mapping[str, Mapping[str, Any] | list[str]], **more: Any) -> Pipeline:
    """A pipeline that closes at once when it fails. A list of names is short for a stage of one step that needs them."""
    whole = {
        name: {"needs": given, "steps": [step()]} if isinstance(given, list) else dict(given) for name, given in stages.items()
    }
    base = {"name": "shop", "service": "shop", "hold": 0}
    return Pipeline.model_validate(base | more | {"stages": whole})
