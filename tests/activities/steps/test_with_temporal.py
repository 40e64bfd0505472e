"""Steps under a real Temporal server: aborts arrive in time, a worker's end costs nothing."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError

from pipelines.messages.build import StepInput, StepResult
from pipelines.messages.common import Status
from tests.support.step_worker import OneStep, step_worker
from tests.support.steps import ROOT, Host, alive, eventually

pytestmark = pytest.mark.server
WAITS = "echo $$ >> effects; while [ ! -e go ]; do sleep 0.02; done"


async def _started(client: Client, unique: str, step: StepInput) -> WorkflowHandle[OneStep, StepResult]:
    return await client.start_workflow(OneStep.run, step, id=f"one-{unique}", task_queue=unique)


@contextmanager
def _worker_process(address: str, queue: str, host: Host) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.support.step_worker", address, queue, str(host.root)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_an_abort_ends_the_process(client: Client, unique: str, host: Host) -> None:
    async with step_worker(client, unique, host):
        handle = await _started(client, unique, host.input("setsid sleep 300 & echo $! >> effects; sleep 300"))
        child = int(await host.until("effects", "\n"))
        await handle.cancel()
        await eventually(lambda: not alive(child), "the child is dead")
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
        assert isinstance(raised.value.cause, CancelledError)


async def test_the_process_of_a_terminated_workflow_ends(client: Client, unique: str, host: Host) -> None:
    async with step_worker(client, unique, host):
        handle = await _started(client, unique, host.input("echo $$ >> effects; sleep 300"))
        child = int(await host.until("effects", "\n"))
        await handle.terminate("nobody wants it")
        await eventually(lambda: not alive(child), "the process is dead")


async def test_a_worker_that_shuts_down_hands_over(client: Client, unique: str, host: Host) -> None:
    handle: WorkflowHandle[OneStep, StepResult]
    async with step_worker(client, unique, host):
        handle = await _started(client, unique, host.input(WAITS))
        process = int(await host.until("effects", "\n"))
    assert alive(process)
    other = Host(host.root)
    async with step_worker(client, unique, other):
        await asyncio.sleep(0)
        (host.workspace / "go").touch()
        result = await handle.result()
    assert (result.status, result.reused) == (Status.passed, False)
    assert host.file("effects").split() == [str(process)]
    other.steps.close()


async def test_a_killed_worker_costs_nothing(client: Client, temporal_server: str, unique: str, host: Host) -> None:
    with _worker_process(temporal_server, unique, host) as first:
        handle = await _started(client, unique, host.input(WAITS))
        process = int(await host.until("effects", "\n"))
        first.kill()
    assert alive(process)
    with _worker_process(temporal_server, unique, host):
        (host.workspace / "go").touch()
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.status == Status.passed
    assert host.file("effects").split() == [str(process)]


async def test_a_failed_step_is_a_result_and_not_an_error(client: Client, unique: str, host: Host) -> None:
    async with step_worker(client, unique, host):
        result = await (await _started(client, unique, host.input("echo why; exit 2"))).result()
    assert (result.status, result.exit_code, result.message) == (Status.failed, 2, "exit status 2: why")
