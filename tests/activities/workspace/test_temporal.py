"""Source and stages under a real Temporal worker: by their ports, with our errors, and stopped when they are not wanted."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from activities.clients.git import Mirrors
from activities.interceptor import Errors
from activities.records import Records
from activities.source import Source
from pipelines.messages.build import Resolved, StageOpened, StageResult, WorkspaceDone
from pipelines.messages.common import RunRequest
from pipelines.ports import DROP_WORKSPACES, OPEN_STAGE, RESOLVE, SEAL_STAGE, Port
from tests.support.repos import Repo
from tests.support.stages import host, opening, request_of, sealing

pytestmark = pytest.mark.server
PIPELINE = "name: shop\nservice: shop\nstages:\n  build:\n    steps:\n      - run: 'true'\n"
PORTS = {port.name: port for port in (RESOLVE, OPEN_STAGE, SEAL_STAGE, DROP_WORKSPACES)}


@workflow.defn(sandboxed=False)
class OneActivity:
    @workflow.run
    async def run(self, name: str, given: dict[str, Any]) -> Any:
        port: Port[Any, Any] = PORTS[name]
        return await workflow.execute_activity(
            name,
            port.takes.model_validate(given),
            result_type=port.gives,
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=timedelta(seconds=5),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            retry_policy=RetryPolicy(maximum_attempts=2),
        )


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "origin")
    repo.commit({".switchyard.yml": PIPELINE})
    return repo


@contextmanager
def worker(client: Client, queue: str, tmp_path: Path, records: Records) -> Iterator[Worker]:
    stages = host(tmp_path / "state", tmp_path, records)
    source = Source(Mirrors(tmp_path / "state/mirrors"))
    with ThreadPoolExecutor(4) as pool:
        yield Worker(
            client,
            task_queue=queue,
            workflows=[OneActivity],
            activities=[source.resolve, stages.open, stages.seal, stages.drop],
            activity_executor=pool,
            interceptors=[Errors()],
            max_heartbeat_throttle_interval=timedelta(seconds=0.5),
        )


async def ask(client: Client, queue: str, port: Port[Any, Any], given: Any) -> Any:
    answer = await client.execute_workflow(
        OneActivity.run, args=[port.name, given.model_dump(mode="json")], id=f"{queue}-{time.time_ns()}", task_queue=queue
    )
    return port.gives.model_validate(answer)


async def test_a_stage_from_commit_to_layer(client: Client, unique: str, tmp_path: Path, repo: Repo, records: Records) -> None:
    run = request_of(repo)
    with worker(client, unique, tmp_path, records) as serving:
        async with serving:
            resolved: Resolved = await ask(client, unique, RESOLVE, run)
            opened: StageOpened = await ask(client, unique, OPEN_STAGE, opening(run))
            assert opened.workspace is not None
            await asyncio.to_thread((Path(opened.workspace.path) / "made").write_text, "x")
            sealed: StageResult = await ask(client, unique, SEAL_STAGE, sealing(run, opened.workspace))
            again: StageOpened = await ask(client, unique, OPEN_STAGE, opening(run, stage_key="key-build"))
            done = WorkspaceDone(run_id=run.workflow_id, workspaces=[opened.workspace])
            await ask(client, unique, DROP_WORKSPACES, done)
    assert resolved.pipeline.name == "shop"
    assert sealed.layer is not None
    assert again.reused is not None
    assert again.reused.layer == sealed.layer
    assert not Path(opened.workspace.path).exists()


async def test_errors_keep_their_class(client: Client, unique: str, tmp_path: Path, repo: Repo, records: Records) -> None:
    with worker(client, unique, tmp_path, records) as serving:
        async with serving:
            with pytest.raises(WorkflowFailureError) as raised:
                await ask(client, unique, RESOLVE, request_of(repo, sha="1" * 40))
    failed = raised.value.cause
    assert isinstance(failed, ActivityError)
    assert isinstance(failed.cause, ApplicationError)
    assert (failed.cause.type, failed.cause.non_retryable) == ("SourceError", True)


async def test_an_abort_ends_a_fetch_that_hangs(
    client: Client, unique: str, tmp_path: Path, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = tmp_path / "hang.sh"
    hanging.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid.new\nmv {tmp_path}/pid.new {tmp_path}/pid\nexec sleep 300\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(hanging))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    run = RunRequest(repo="o/r", clone_url="git@example.invalid:o/r.git", sha="1" * 40)
    with worker(client, unique, tmp_path, records) as serving:
        async with serving:
            handle = await client.start_workflow(
                OneActivity.run, args=[RESOLVE.name, run.model_dump(mode="json")], id=unique, task_queue=unique
            )
            await eventually((tmp_path / "pid").exists)
            pid = int((tmp_path / "pid").read_text())
            await handle.cancel()
            with pytest.raises(WorkflowFailureError):
                await asyncio.wait_for(handle.result(), 15)
            await eventually(lambda: not Path(f"/proc/{pid}").exists())
    assert not Path(f"/proc/{pid}").exists()


async def eventually(holds: Any, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
