"""What each faked activity does when nothing else is planned: it works, in memory, and can be repeated."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel
from temporalio import activity

from activities.requests import Requests
from pipelines.errors import WorkspaceLost
from pipelines.messages.build import Resolved, StageOpened, StageResult, StepResult, Workspace
from pipelines.messages.common import ArtifactRef, Nothing, Status
from pipelines.messages.deploy import CheckOutcome, Prepared, Routed, Verdict
from pipelines.messages.notify import DeploymentRecord
from pipelines.messages.quality import GateDecision, RetentionResult
from pipelines.ports import (
    AUDIT,
    CURRENT_ROUTE,
    DROP_WORKSPACES,
    ENSURE_RELEASE,
    EVALUATE_GATE,
    INSPECT_RELEASE,
    JOIN_GROUP,
    LOAD_ENVIRONMENT,
    MEASURE,
    MEMBER_ALIVE,
    NOTIFY,
    OPEN_STAGE,
    PREPARE,
    PUBLISH,
    RECORD_DEPLOYMENT,
    RECORD_RUN,
    REQUEST_ROLLOUT,
    RESOLVE,
    RETIRE_RELEASE,
    ROUTE,
    RUN_CHECKS,
    RUN_STEP,
    SEAL_STAGE,
    SWEEP_ARTIFACTS,
    WATCH_RELEASE,
    Port,
)
from tests.support.fakes.behaviours import BEAT
from tests.support.fakes.world import Call, World, pipeline


def _digest(*parts: str) -> str:
    return "sha256:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def resolve(call: Call) -> Resolved:
    world = call.world
    chosen = world.pipeline or pipeline({"build": []}, service=world.service)
    return Resolved(
        sha=call.arg.sha, tree=world.tree, version="1.0.0", author="bob", subject="Sell shoes", changed=world.changed,
        committed_at=1000.0, pipeline=chosen, pipeline_file=".switchyard.yml",
    )  # fmt: skip


def open_stage(call: Call) -> StageOpened:
    world, asked = call.world, call.arg
    found = world.stages.get(asked.stage_key) if asked.stage_key and asked.run.reuse else None
    if found:
        return StageOpened(reused=found.model_copy(update={"stage": asked.stage, "status": Status.reused}))
    place = (world.host, asked.run_id, asked.workspace)
    known = world.workspaces.get(place)
    if known is None or known.generation < asked.generation:
        path = f"/hosts/{world.host}/{asked.workspace}"
        known = Workspace(
            name=asked.workspace, queue=f"host-{world.host}", host=world.host, path=path, generation=asked.generation
        )  # fmt: skip
        world.workspaces[place] = known
    return StageOpened(workspace=known)


def _need_workspace(call: Call) -> None:
    """As the real ones: the workspace must be there, in the generation that is meant."""
    wanted: Workspace = call.arg.workspace
    known = call.world.workspaces.get((wanted.host, call.arg.run_id, wanted.name))
    if known is None or known.generation != wanted.generation:
        raise WorkspaceLost(f"workspace {wanted.name} is no longer on this host", "Retry the stage")


def run_step(call: Call) -> StepResult:
    _need_workspace(call)
    asked = call.arg
    return StepResult(
        key=asked.key, title=asked.step.title, status=Status.passed, exit_code=0, attempt=asked.attempt, started_at=1.0,
        finished_at=1.5, log=f"{asked.stage}/{asked.index}.log",
    )  # fmt: skip


def seal_stage(call: Call) -> StageResult:
    _need_workspace(call)
    asked, name = call.arg, call.arg.stage
    passed = asked.status == Status.passed
    artifacts = [ArtifactRef(name=each.name, digest=_digest(asked.tree, name, each.name), size=9) for each in asked.artifacts]
    layer = ArtifactRef(name=f"{name}-layer", digest=_digest("layer", asked.run_id, name, str(len(asked.steps))), kind="layer")
    kept = {"artifacts": artifacts if passed else [], "layer": layer if asked.layer else None}
    result = StageResult(stage=name, status=asked.status, steps=asked.steps, **kept)
    if passed and asked.stage_key:
        call.world.stages[asked.stage_key] = result
    return result


def drop_workspaces(call: Call) -> Nothing:
    for workspace in call.arg.workspaces:
        call.world.workspaces.pop((workspace.host, call.arg.run_id, workspace.name), None)
    return Nothing()


def ensure_release(call: Call) -> BaseModel:
    return call.world.cluster.ensure(call.arg.release.id, call.arg.replicas)


def inspect_release(call: Call) -> BaseModel:
    return call.world.cluster.status(call.arg.id)


async def watch_release(call: Call) -> BaseModel:
    """As long as the release is well."""
    while call.arg.id not in call.world.cluster.broken:
        activity.heartbeat()
        await asyncio.sleep(BEAT)
    return call.world.cluster.status(call.arg.id)


def retire_release(call: Call) -> Nothing:
    call.world.cluster.retire(call.arg.release_id)
    return Nothing()


def route(call: Call) -> Routed:
    call.world.cluster.route(call.arg)
    place, preview = call.arg.place, call.arg.preview
    address, beside = f"http://{place.service}.test", f"http://preview.{place.service}.test"
    return Routed(weights=call.arg.weights, address=address, preview_address=beside if preview else "", preview=preview)


def current_route(call: Call) -> Routed:
    return Routed(weights=call.world.cluster.weights(call.arg.key))


def _record_deployment(world: World, record: DeploymentRecord) -> None:
    """One per rollout, newest first."""
    world.deployments = [record, *(other for other in world.deployments if other.key != record.key)]


def _recorded(keep: Callable[[World, Any], object]) -> Callable[[Call], Nothing]:
    def record(call: Call) -> Nothing:
        keep(call.world, call.arg)
        return Nothing()

    return record


class _Deployments:
    def __init__(self, world: World) -> None:
        self._world = world

    def of(self, environment: str, service: str) -> list[DeploymentRecord]:
        return [each for each in self._world.deployments if (each.environment, each.service) == (environment, service)]


def _requests(world: World) -> Requests:
    """The real ones: they need nothing but Temporal."""
    return Requests(world.client, _Deployments(world))


def load_environment(call: Call) -> BaseModel:
    return _requests(call.world).load_environment(call.arg)


async def request_rollout(call: Call) -> BaseModel:
    return await _requests(call.world).request_rollout(call.arg)


async def join_group(call: Call) -> BaseModel:
    return await _requests(call.world).join_group(call.arg)


async def member_alive(call: Call) -> BaseModel:
    return await _requests(call.world).member_alive(call.arg)


def _answer(result: BaseModel) -> Callable[[Call], BaseModel]:
    return lambda call: result


_DEFAULTS: list[tuple[Port[Any, Any], Callable[[Call], BaseModel | Awaitable[BaseModel]]]] = [
    (RESOLVE, resolve),
    (OPEN_STAGE, open_stage),
    (RUN_STEP, run_step),
    (SEAL_STAGE, seal_stage),
    (DROP_WORKSPACES, drop_workspaces),
    (EVALUATE_GATE, _answer(GateDecision(passed=True, evidence=["coverage 91 %, at least 80 % asked"]))),
    (SWEEP_ARTIFACTS, _answer(RetentionResult(kept=3, count=1, freed=10))),
    (PREPARE, _answer(Prepared(address="http://shop.test"))),
    (ENSURE_RELEASE, ensure_release),
    (INSPECT_RELEASE, inspect_release),
    (WATCH_RELEASE, watch_release),
    (RETIRE_RELEASE, retire_release),
    (RUN_CHECKS, _answer(CheckOutcome(passed=True, lines=["check: 200, 200 expected"]))),
    (ROUTE, route),
    (CURRENT_ROUTE, current_route),
    (MEASURE, _answer(Verdict(outcome="pass", reason="all metrics within limits", requests={"candidate": 100}))),
    (REQUEST_ROLLOUT, request_rollout),
    (LOAD_ENVIRONMENT, load_environment),
    (JOIN_GROUP, join_group),
    (MEMBER_ALIVE, member_alive),
    (AUDIT, _recorded(lambda world, entry: world.audit.setdefault(entry.key, entry))),
    (RECORD_RUN, _recorded(lambda world, record: world.runs.append(record))),
    (RECORD_DEPLOYMENT, _recorded(_record_deployment)),
    (NOTIFY, _recorded(lambda world, note: world.told.append(note))),
    (PUBLISH, _recorded(lambda world, event: world.events.append(event))),
]
DEFAULTS = {port.name: act for port, act in _DEFAULTS}
