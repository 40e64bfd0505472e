"""A Temporal server of this folder's own: its stand-ins carry the real workflows' names and queues."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from pipelines.messages.common import RunRequest
from tests.starter.standins import standin_worker
from tests.support.temporal import running_server

T = TypeVar("T")


@pytest.fixture(scope="session")
def standin_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("standins")) as server, standin_worker(server.address):
        yield server.address


@pytest.fixture
async def standins(standin_server: str) -> AsyncIterator[Client]:
    yield await Client.connect(standin_server, data_converter=pydantic_data_converter)


def request(title: str = "wait", **fields: str) -> RunRequest:
    """A run of a commit that no other test has."""
    given = {"repo": "acme/shop", "clone_url": "file:///nowhere", "sha": secrets.token_hex(20), "branch": "main"}
    return RunRequest(**(given | {"actor": "ada"} | fields), title=title)


async def until(look: Callable[[], Awaitable[T]], seconds: float = 15.0) -> T:
    """The first true answer of `look`; Temporal's lists lag a moment behind."""
    deadline = time.monotonic() + seconds
    while True:
        seen = await look()
        if seen or time.monotonic() > deadline:
            assert seen, f"still {seen!r} after {seconds} s"
            return seen
        await asyncio.sleep(0.05)
