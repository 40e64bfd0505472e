"""One client of Temporal for the life of the process. The client itself finds its way back when the server was away."""

from __future__ import annotations

import asyncio

from temporalio.client import Client

from pipelines.settings import Settings
from starter.client import connect

PATIENCE = 2.0
"""Seconds for the first connection; a webhook's sender waits meanwhile."""


class Connection:
    def __init__(self, settings: Settings, patience: float = PATIENCE) -> None:
        self._settings = settings
        self._patience = patience
        self._client: Client | None = None
        self._attempt: asyncio.Task[Client] | None = None

    async def client(self) -> Client:
        """All who ask while there is no client yet wait for the same attempt. Raises Unavailable when it fails."""
        if self._client is None:
            if self._attempt is None or self._attempt.done():
                self._attempt = asyncio.create_task(connect(self._settings, patience=self._patience))
                self._attempt.add_done_callback(_seen)
            self._client = await asyncio.shield(self._attempt)
        return self._client


def _seen(attempt: asyncio.Task[Client]) -> None:
    """Whoever asked may have gone; asyncio would complain that nobody looked at the error."""
    if not attempt.cancelled():
        attempt.exception()
