"""Heartbeats in tight loops."""

from __future__ import annotations

import time

from activities.base import heartbeat
from activities.clients.archive import Beat


class Sparing:
    """Passes on at most one call a second, so that calling it for every file costs nothing."""

    def __init__(self, beat: Beat = heartbeat, every: float = 1.0) -> None:
        self._beat = beat
        self._every = every
        self._last = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            self._beat()
