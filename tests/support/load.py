"""Bounded open-loop load on a service of this host: requests leave on time, whether earlier ones were answered or not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import httpx


@dataclass
class Load:
    """What was answered: by release, and every failure in words."""

    releases: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    sent: int = 0

    @property
    def answered(self) -> int:
        return sum(self.releases.values())

    def share(self, release: str) -> float:
        return self.releases[release] / max(1, self.answered)


class Sending(Protocol):
    """Who counts what was sent."""

    sent: int


Send = Callable[[httpx.AsyncClient], Coroutine[None, None, None]]


@contextmanager
def open_loop(seen: Sending, send: Send, rate: float, most: int) -> Iterator[None]:
    """`rate` calls of `send` a second, at most `most` in all, while the block runs; all have ended when it is left."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_drive(seen, send, rate, most, stop)))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def _drive(seen: Sending, send: Send, rate: float, most: int, stop: threading.Event) -> None:
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=20)
    async with httpx.AsyncClient(timeout=20, limits=limits, trust_env=False) as client, asyncio.TaskGroup() as group:
        due = time.monotonic()
        while not stop.is_set() and seen.sent < most:
            seen.sent += 1
            group.create_task(send(client))
            due = max(due + 1 / rate, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))


@contextmanager
def load(url: str, rate: float = 60.0, method: str = "GET", most: int = 3000) -> Iterator[Load]:
    """`rate` requests a second, at most `most` in all, while the block runs; all are answered when it is left."""
    seen = Load()
    with open_loop(seen, lambda client: _one(client, method, url, seen), rate, most):
        yield seen


async def _one(client: httpx.AsyncClient, method: str, url: str, seen: Load) -> None:
    try:
        answer = await client.request(method, url)
        answer.raise_for_status()
        seen.releases[answer.json()["release"]] += 1
    except (httpx.HTTPError, ValueError) as error:
        seen.failures.append(f"{type(error).__name__}: {error}")
