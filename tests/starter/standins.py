"""Tiny workflows with the names, updates and queries of the real ones, so that the ways in are tested without the engine.

What a stand-in run does is told by the request's title: pass, fail, wait (for an approval), hold, roll (a canary), or work (its
first step goes on until the run is aborted). A title with markup waits, and is repeated in every text that a tool or a person
may choose.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from pipelines import attributes
from pipelines.messages.common import ArtifactRef, RunRequest, Status
from pipelines.messages.deploy import Place, Release, RollbackRequest, Ticket, Verdict
from pipelines.messages.runs import (
    Abort,
    Answer,
    Approve,
    EnvironmentView,
    Pause,
    Promote,
    Resume,
    Retry,
    RolloutView,
    RunResult,
    RunView,
    Skip,
    StageView,
    StepView,
    VerdictPoint,
    WeightPoint,
)
from pipelines.spec import ProcessSpec
from starter.runs.environments import Beginning

SHOP = Place(environment="staging", service="shop")


def release(name: str, place: Place = SHOP) -> Release:
    artifact = ArtifactRef(name="app", digest=f"sha256:{name}", size=10)
    return Release(id=name, place=place, artifact=artifact, version=f"v-{name}", process=ProcessSpec(command="run"))


def rollout_id(run_id: str) -> str:
    return f"rollout/staging/{run_id.split('/')[-2][:12]}/1"


def _asks(stage: str) -> StageView:
    return StageView(name=stage, status=Status.waiting, needs=["build"], waiting_for="approval by anybody with a token (1)")


@workflow.defn(name="PipelineWorkflow")
class StandInPipeline:
    @workflow.init
    def __init__(self, request: RunRequest) -> None:
        self.request = request
        self.status = Status.running
        self.asked: list[str] = []
        self.over = False

    @workflow.run
    async def run(self, request: RunRequest) -> RunResult:
        run_id = workflow.info().workflow_id
        if request.title == "fail":
            self._show(Status.failed)
            result = RunResult(run_id=run_id, status=Status.failed, reason="tests failed", stages={"build": Status.failed})
            raise ApplicationError("tests failed", result, type="RunFailed", non_retryable=True)
        if request.title == "roll":
            await workflow.start_child_workflow(
                "RolloutWorkflow", run_id, id=rollout_id(run_id), task_queue="deploy",
                parent_close_policy=workflow.ParentClosePolicy.TERMINATE,
            )  # fmt: skip
        if request.title != "pass":
            self._show(Status.held if request.title == "hold" else Status.running)
            await workflow.wait_condition(lambda: self.over)
        self._show(Status.passed)
        return RunResult(run_id=run_id, status=Status.passed, stages={"build": Status.passed})

    def _show(self, status: Status) -> None:
        self.status = status
        key = SearchAttributeKey.for_keyword
        workflow.upsert_search_attributes(
            [key(attributes.STATUS).value_set(status.value), key(attributes.SERVICE).value_set("shop")]
        )

    @workflow.query
    def view(self) -> RunView:
        started = workflow.info().start_time.timestamp()
        run_id = workflow.info().workflow_id
        done = Status.running if self.request.title == "work" and not self.over else Status.passed
        build = StageView(
            name="build", status=done, started_at=started, finished_at=started + 1.5,
            steps=[StepView(index=0, title="compile", status=done, seconds=1.5, exit_code=0, log="r/build/00.log")],
        )  # fmt: skip
        last = {
            "wait": _asks("go"),
            "hold": StageView(name="check", status=Status.failed, needs=["build"], reason="lint found 3 problems"),
            "roll": StageView(name="ship", status=Status.running, needs=["build"], rollout_id=rollout_id(run_id)),
            "two": _asks("go"),
        }.get(self.request.title)
        more = [_asks("also")] if self.request.title == "two" else []
        if "<" in self.request.title:
            words = dict.fromkeys(("reason", "waiting_for", "environment"), self.request.title)
            last = _asks("go").model_copy(update={**words, "approvals": [self.request.title]})
        return RunView(
            run=self.request, run_id=run_id, execution=workflow.info().run_id, status=self.status, service="shop",
            started_at=started, finished_at=None if not self.status.final else started + 2,
            reason=f"asked: {', '.join(self.asked)}", stages=[build, *([last] if last else []), *more],
        )  # fmt: skip

    def _note(self, what: str, end: bool) -> Answer:
        self.asked.append(what)
        self.over = self.over or end
        return Answer(message=f"run: {what}")

    @workflow.update
    async def approve(self, asked: Approve) -> Answer:
        return self._note(f"approve {asked.stage} {asked.approved}", True)

    @approve.validator
    def _may_approve(self, asked: Approve) -> None:
        if asked.actor == "mallory":
            raise ApplicationError("mallory may not approve this", type="Denied", non_retryable=True)

    @workflow.update
    async def abort(self, asked: Abort) -> Answer:
        return self._note("abort", True)

    @workflow.update
    async def retry(self, asked: Retry) -> Answer:
        return self._note(f"retry {asked.stage} {asked.step}", True)

    @workflow.update
    async def skip(self, asked: Skip) -> Answer:
        return self._note(f"skip {asked.stage}", True)


@workflow.defn(name="RolloutWorkflow")
class StandInRollout:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.over = False

    @workflow.run
    async def run(self, run_id: str) -> None:
        await workflow.wait_condition(lambda: self.over)

    @workflow.query
    def view(self) -> RolloutView:
        return RolloutView(
            workflow_id=workflow.info().workflow_id, strategy="canary", candidate=release("two"), stable_id="one",
            status="done" if self.over else "paused", intent="advance", weight=20,
            waiting_for="'resume' (paused by ada)" if self.asked[-1:] == ["pause"] else "approval at 20 %",
            reason=", ".join(self.asked), plan=["60 %", "100 %"], weights=self._weights(), verdicts=self._verdicts(),
        )  # fmt: skip

    def _weights(self) -> list[WeightPoint]:
        started = workflow.info().start_time.timestamp()
        return [WeightPoint(at=started - 10, weight=5), WeightPoint(at=started, weight=20)]

    def _verdicts(self) -> list[VerdictPoint]:
        seen = Verdict(outcome="inconclusive", reason="too few requests", requests={"stable": 40, "candidate": 3})
        return [VerdictPoint(at=workflow.info().start_time.timestamp() - 5, verdict=seen)]

    def _note(self, what: str, end: bool = False) -> Answer:
        self.asked.append(what)
        self.over = self.over or end
        return Answer(message=f"rollout: {what}")

    @workflow.update
    async def approve(self, asked: Approve) -> Answer:
        return self._note("approve", True)

    @workflow.update
    async def abort(self, asked: Abort) -> Answer:
        return self._note("abort", True)

    @workflow.update
    async def pause(self, asked: Pause) -> Answer:
        return self._note("pause")

    @workflow.update
    async def resume(self, asked: Resume) -> Answer:
        return self._note("resume")

    @workflow.update
    async def promote(self, asked: Promote) -> Answer:
        return self._note(f"promote full={asked.full}")


@workflow.defn(name="EnvironmentWorkflow")
class StandInEnvironment:
    @workflow.init
    def __init__(self, state: Beginning) -> None:
        self.place = state.place

    @workflow.run
    async def run(self, state: Beginning) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def rollback(self, asked: RollbackRequest) -> Ticket:
        if asked.to == "never":
            raise ApplicationError("release 'never' has not served here", type="NotFound", non_retryable=True)
        return Ticket(workflow_id=f"rollout/{self.place.key}/{asked.to or 'previous'}", ahead=1)

    @workflow.query
    def view(self) -> EnvironmentView:
        new, old = release("two", self.place), release("one", self.place)
        return EnvironmentView(environment=self.place.environment, service=self.place.service, stable=new, history=[new, old])


@contextmanager
def standin_worker(address: str) -> Iterator[None]:
    """The stand-ins served in a thread of their own, so that synchronous callers such as the CLI can be tested."""
    loop = asyncio.new_event_loop()
    stop, ready = asyncio.Event(), threading.Event()

    async def serve() -> None:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        common = {"workflow_runner": UnsandboxedWorkflowRunner()}
        build = Worker(client, task_queue="build", workflows=[StandInPipeline], **common)
        deploy = Worker(client, task_queue="deploy", workflows=[StandInRollout, StandInEnvironment], **common)
        async with build, deploy:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(20), "the stand-ins' worker did not start"
    yield
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()
