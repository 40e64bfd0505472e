"""One place with a stable release, and the rollout of a candidate: started, watched and spoken to as people do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, TypeAdapter
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from pipelines.messages.common import ArtifactRef
from pipelines.messages.deploy import Place, Release, RolloutRequest, RolloutResult, RouteInput, Verdict
from pipelines.messages.rollout import RolloutInput
from pipelines.messages.runs import Abort, Answer, Approve, Pause, Promote, Resume, RolloutView
from pipelines.ports import MEASURE, ROUTE
from pipelines.spec import ProcessSpec, RolloutSpec
from tests.support.fakes import World
from tests.support.rollout_rules import broken_rules

_SPEC: TypeAdapter[Any] = TypeAdapter(RolloutSpec)
_ASKS: dict[type[BaseModel], str] = {
    Approve: "approve", Pause: "pause", Resume: "resume", Promote: "promote", Abort: "abort"
}  # fmt: skip

FAST: dict[str, Any] = {"scaleDownDelay": 0, "drain": 0}
ANALYSIS: dict[str, Any] = {"metrics": [{"name": "errors", "builtin": "error-rate", "successMax": 0.01}], "interval": "20ms"}
STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}]

PASS = Verdict(outcome="pass", reason="errors 0", outcomes={"errors": "pass"}, requests={"candidate": 100, "stable": 400})
FAIL = Verdict(outcome="fail", reason="errors 0.4", outcomes={"errors": "fail"}, requests={"candidate": 100, "stable": 400})
UNSURE = Verdict(outcome="inconclusive", reason="3 requests, 20 needed", outcomes={"errors": "inconclusive"})


def spec(strategy: str, **more: Any) -> Any:
    """A rollout's specification, without delays where none are named."""
    given = {**FAST, "strategy": strategy, **more}
    return _SPEC.validate_python(given)


def canary(*steps: dict[str, Any], **more: Any) -> Any:
    """20 %, until approved, 60 %, 100 %, when no steps are named."""
    return spec("canary", steps=list(steps) or STEPS, **more)


def release(place: Place, name: str, replicas: int = 2) -> Release:
    artifact = ArtifactRef(name="app", digest=f"sha256:{name}", size=1)
    return Release(
        id=f"{name}-{place.service}", place=place, artifact=artifact, version=name, sha=name * 4, replicas=replicas,
        process=ProcessSpec(command="serve"),
    )  # fmt: skip


@dataclass
class Play:
    """`world` has the fakes; `stable` None: a first release."""

    world: World
    spec: Any = None
    replicas: int = 2
    with_stable: bool = True
    handle: WorkflowHandle[Any, RolloutResult] = field(init=False)

    def __post_init__(self) -> None:
        self.place = Place(environment="production", service=self.world.service)
        self.candidate = release(self.place, "new", self.replicas)
        self.stable = release(self.place, "old", self.replicas) if self.with_stable else None
        if self.stable:
            self.world.cluster.ensure(self.stable.id, self.replicas)
            self.world.cluster.route(RouteInput(place=self.place, weights={self.stable.id: 100}))

    async def start(self, **more: Any) -> Play:
        """Starts the RolloutWorkflow itself; `more`: fields of its request, or `fast`."""
        fast = bool(more.pop("fast", False))
        request = RolloutRequest(request_id=f"r-{self.world.token}", release=self.candidate, spec=self.spec or canary(), **more)
        self.handle = await self.world.client.start_workflow(
            "RolloutWorkflow",
            RolloutInput(request=request, stable=self.stable, fast=fast),
            id=f"rollout/{self.place.key}/1",
            task_queue="deploy",
            result_type=RolloutResult,
        )
        return self

    def by_id(self) -> None:
        """From here on it is spoken to by its id alone, in whichever execution it is."""
        self.handle = self.world.client.get_workflow_handle(self.handle.id, result_type=RolloutResult)

    async def view(self) -> RolloutView:
        view: RolloutView = await self.handle.query("view", result_type=RolloutView)
        return view

    async def until(self, condition: Callable[[RolloutView], object], seconds: float = 20.0) -> RolloutView:
        deadline = time.monotonic() + seconds
        while not condition(view := await self.view()):
            assert time.monotonic() < deadline, view.model_dump_json(indent=1)
            await asyncio.sleep(0.04)
        return view

    async def until_asked(self, weight: int | None = None) -> RolloutView:
        """It waits for an approval, at that weight."""
        return await self.until(lambda v: v.waiting_for.startswith("approval") and weight in (None, v.weight))

    async def until_weight(self, weight: int) -> RolloutView:
        return await self.until(lambda v: any(point.weight == weight for point in v.weights))

    async def ask(self, what: BaseModel) -> str:
        answer: Answer = await self.handle.execute_update(_ASKS[type(what)], what, result_type=Answer)
        return answer.message

    async def refused(self, what: BaseModel) -> str:
        """The words with which it was refused."""
        try:
            message = await self.ask(what)
        except WorkflowUpdateFailedError as error:
            assert isinstance(error.cause, ApplicationError)
            return error.cause.message
        raise AssertionError(f"not refused: {message}")

    async def end(self, seconds: float = 20.0) -> RolloutResult:
        """The result; whatever happened, all rules of live traffic were kept and the traffic is where the result says."""
        result = await asyncio.wait_for(self.handle.result(), seconds)
        assert self.broken() == []
        assert self.weights() == ({result.stable_id: 100} if result.stable_id else {})
        return result

    def broken(self) -> list[str]:
        return broken_rules(self.world, self.place, self.stable)

    def weights(self) -> dict[str, int]:
        return self.world.cluster.weights(self.place.key)

    def shares(self) -> list[int]:
        """The candidate's weight after each change of the traffic."""
        return [call.arg.weights.get(self.candidate.id, 0) for call in self.world.of(ROUTE) if call.outcome == "done"]

    def measured(self) -> int:
        return self.world.count(MEASURE)
