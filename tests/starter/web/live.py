"""The application behind a real socket, for what a client within the process cannot do: streams."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI


@contextmanager
def live(app: FastAPI, port: int = 0) -> Iterator[str]:
    """Base URL of a server in a thread of its own. `port` 0: any that is free."""
    listening = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=3))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started, "the web server did not start"
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    app.state.site.stopping.set()
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive(), "the web server did not end"


@dataclass
class Sent:
    """One server-sent event."""

    event: str
    data: Any
    id: str = ""


@asynccontextmanager
async def stream(url: str, **headers: str) -> AsyncIterator[AsyncIterator[Sent]]:
    """The events of a stream, which must be one."""
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", url, headers={"Accept": "text/event-stream", **headers}) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        yield _events(response)


async def _events(response: httpx.Response) -> AsyncIterator[Sent]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line.startswith(":"):
            continue
        if not line:
            if fields:
                yield Sent(fields.get("event", ""), json.loads(fields.get("data", "null")), fields.get("id", ""))
            fields = {}
            continue
        name, _, value = line.partition(":")
        fields[name] = value.removeprefix(" ")
