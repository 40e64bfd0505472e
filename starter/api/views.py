"""Views of runs and rollouts for all who look: however many watch one, its workflow is asked a few times a second at most."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

V = TypeVar("V")
FRESH_SECONDS = 0.4
MOST = 500


class Views(Generic[V]):
    """`look` asks for the view of one workflow id; its errors reach everybody who waits for that answer."""

    def __init__(self, look: Callable[[str], Coroutine[Any, Any, V]], fresh: float = FRESH_SECONDS) -> None:
        self._look = look
        self._fresh = fresh
        self._seen: dict[str, tuple[float, asyncio.Task[V]]] = {}

    async def of(self, workflow_id: str) -> V:
        """At most `fresh` seconds old."""
        asked_at, task = self._seen.get(workflow_id, (0.0, None))
        now = time.monotonic()
        if task is None or (task.done() and now - asked_at > self._fresh):
            self._drop_stale(now)
            task = asyncio.create_task(self._look(workflow_id))
            self._seen[workflow_id] = now, task
        return await asyncio.shield(task)

    def forget(self) -> None:
        """After somebody has changed something, so that they see it."""
        self._seen.clear()

    def _drop_stale(self, now: float) -> None:
        if len(self._seen) < MOST:
            return
        stale = [key for key, (at, task) in self._seen.items() if task.done() and now - at > self._fresh]
        for key in stale:
            del self._seen[key]
