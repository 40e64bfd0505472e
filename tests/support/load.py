"""Bounded open-loop load on a service of this host: requests leave on time, whether earlier ones were answered or not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

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


@contextmanager
def load(url: str, rate: float = 60.0, method: str = "GET", most: int = 3000) -> Iterator[Load]:
    """`rate` requests a second, at most `most` in all, while the block runs; all are answered when it is left."""
    seen, stop = Load(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_drive(url, rate, method, most, seen, stop)))
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


async def _drive(url: str, rate: float, method: str, most: int, seen: Load, stop: threading.Event) -> None:
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=20)
    async with httpx.AsyncClient(timeout=20, limits=limits, trust_env=False) as client:
        began, tasks = time.monotonic(), set()
        while not stop.is_set() and seen.sent < most:
            seen.sent += 1
            task = asyncio.create_task(_one(client, method, url, seen))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(max(0.0, began + seen.sent / rate - time.monotonic()))
        await asyncio.gather(*tasks)


async def _one(client: httpx.AsyncClient, method: str, url: str, seen: Load) -> None:
    try:
        answer = await client.request(method, url)
        answer.raise_for_status()
        seen.releases[answer.json()["release"]] += 1
    except (httpx.HTTPError, ValueError) as error:
        seen.failures.append(f"{type(error).__name__}: {error}")
