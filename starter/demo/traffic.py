"""Requests at a constant rate, whatever becomes of the ones before (open loop): who answered each, and which had no answer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

TIMEOUT = 10.0
HEADER = "X-Version"
MOST = 20_000


@dataclass
class Traffic:
    """`url` is asked with `host` as its Host header, `rate` times a second, at most MOST times.

    A request is lost when the service did not answer it: no connection, a timeout, or an answer of the proxy's own. What the
    service itself answers is an answer, also when it is an error of its own; it says its version in the header X-Version.
    """

    url: str
    host: str
    rate: float = 50.0
    sent: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; ends when every request has its answer or its timeout."""
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=20)
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False) as client,
            asyncio.TaskGroup() as group,
        ):
            due = time.monotonic()
            while not stop.is_set() and self.sent < MOST:
                self.sent += 1
                group.create_task(self._one(client, self.sent))
                due += 1 / self.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _one(self, client: httpx.AsyncClient, number: int) -> None:
        try:
            answer = await client.get(self.url, params={"symbol": "ACME", "order": str(number)}, headers={"Host": self.host})
        except httpx.HTTPError as error:
            self.lost.append(f"{type(error).__name__} {error}".strip())
            return
        version = answer.headers.get(HEADER)
        if version is None:
            self.lost.append(f"{answer.status_code} from the proxy")
            return
        self.answered[version] += 1
        if answer.is_error:
            self.errors[version] += 1

    def snapshot(self) -> Counter[str]:
        """Answers so far by version; differences of two are the shares between them."""
        return Counter(self.answered)
