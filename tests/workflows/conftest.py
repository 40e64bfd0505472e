"""One Temporal server, one set of workers and one event loop for all tests of this folder; each test has a world of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from pipelines.policy import POLICIES
from tests.support.fakes import Stage, World, serving
from tests.support.temporal import running_server
from workflows import calls


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The workers live in the session's loop, and so must the tests."""
    for item in items:
        if pytest_asyncio.is_async_test(item) and "tests/workflows" in item.path.as_posix():
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same policies with shorter waits: between attempts, and until a silent host counts as lost."""
    monkeypatch.setattr(calls, "HOST_SILENT", 0.3)
    for pace, policy in POLICIES.items():
        monkeypatch.setitem(POLICIES, pace, replace(policy, first=policy.first / 20, most=0.2))


@pytest.fixture(scope="session")
def stage_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own: the fakes serve the product's task queues, as other tests' workers may."""
    with running_server(tmp_path_factory.mktemp("stage")) as server:
        yield server.address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(stage_server: str) -> AsyncIterator[Stage]:
    """The real workflows, and every activity faked."""
    client = await Client.connect(stage_server, data_converter=pydantic_data_converter)
    async with serving(client) as stage:
        yield stage


@pytest.fixture
def world(stage: Stage) -> World:
    """A world of its own for one test."""
    return stage.new()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ui(stage_server: str) -> Client:
    """Temporal's Web UI as far as the server can tell: it knows names and JSON, and nothing of our models."""
    return await Client.connect(stage_server)
