"""The delivery activities in a real worker: heartbeats, cancellation, errors by class name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError
from temporalio.worker import Worker

from activities.checks_http import Checks
from activities.interceptor import Errors
from pipelines.messages.deploy import EnsureInput, RouteInput
from tests.support.delivery_workflows import EnsureOnce, RouteAndCheck, WatchOnce
from tests.support.releases import Bench, until


@asynccontextmanager
async def _worker(client: Client, bench: Bench, queue: str) -> AsyncIterator[None]:
    checks = Checks({"local": bench.router})
    activities = [bench.deploy.ensure, bench.deploy.watch, bench.deploy.retire, bench.traffic.route, checks.run]
    with ThreadPoolExecutor(8) as pool:
        async with Worker(
            client,
            task_queue=queue,
            workflows=[EnsureOnce, WatchOnce, RouteAndCheck],
            activities=activities,
            activity_executor=pool,
            interceptors=[Errors()],
        ):
            yield


async def _start(client: Client, workflow_type: str, arg: object, unique: str) -> WorkflowHandle[object, object]:
    return await client.start_workflow(workflow_type, arg, id=f"{workflow_type}-{unique}", task_queue=unique)


async def test_ensure_route_and_check(client: Client, bench: Bench, unique: str) -> None:
    async with _worker(client, bench, unique):
        ensured = await _start(client, "EnsureOnce", EnsureInput(release=bench.release("r1"), replicas=2), unique)
        await ensured.result()
        routed = await _start(client, "RouteAndCheck", RouteInput(place=bench.place, weights={"r1": 100}), unique)
        outcome = await routed.result()
    assert "passed" in str(outcome)


async def test_a_cancelled_ensure_stops_at_once_and_leaves_nothing_locked(client: Client, bench: Bench, unique: str) -> None:
    release = bench.release("r1", env={"STARTUP": "60"}, readiness_timeout=60.0)
    async with _worker(client, bench, unique):
        handle = await _start(client, "EnsureOnce", EnsureInput(release=release, replicas=1), unique)
        await asyncio.to_thread(until, lambda: bench.replicas("r1"), "the replica has been started")
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(handle.result(), 15)
        assert isinstance(caught.value.cause, CancelledError)
    await asyncio.to_thread(bench.retire, "r1", 0.0)
    assert bench.processes("r1") == []


async def test_an_unhealthy_release_is_not_tried_again(client: Client, bench: Bench, unique: str) -> None:
    async with _worker(client, bench, unique):
        wanted = EnsureInput(release=bench.release("r1", "--crash"), replicas=1)
        handle = await _start(client, "EnsureOnce", wanted, unique)
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(handle.result(), 20)
    assert isinstance(caught.value.cause, ActivityError)
    cause = caught.value.cause.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.non_retryable) == ("ReleaseUnhealthy", True)
    assert "exit status 7" in cause.message


async def test_a_watch_goes_on_while_all_is_well_and_can_be_cancelled(client: Client, bench: Bench, unique: str) -> None:
    await asyncio.to_thread(bench.ensure, bench.release("r1"))
    async with _worker(client, bench, unique):
        handle = await _start(client, "WatchOnce", bench.release("r1"), unique)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(handle.result()), 1.0)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), 15)


async def test_a_watch_tells_a_crash_soon(client: Client, bench: Bench, unique: str) -> None:
    await asyncio.to_thread(bench.ensure, bench.release("r1"))
    async with _worker(client, bench, unique):
        handle = await _start(client, "WatchOnce", bench.release("r1"), unique)
        bench.replicas("r1")[0].kill()
        status = await asyncio.wait_for(handle.result(), 15)
    assert "SIGKILL" in str(status)
