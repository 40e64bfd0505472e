"""Heartbeats in tight loops."""

from __future__ import annotations

import threading
import time

from activities.base import heartbeat
from activities.clients.archive import Beat


class Sparing(threading.local):
    """Passes on at most one call a second of each thread, so that calling it for every file costs nothing. Per thread, because
    an activity's heartbeat must not count for another's."""

    def __init__(self, beat: Beat = heartbeat, every: float = 1.0) -> None:
        self._beat = beat
        self._every = every
        self._last = float("-inf")

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            self._beat()
