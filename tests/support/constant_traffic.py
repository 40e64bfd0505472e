"""Constant, bounded traffic against a service on this host: when each request was answered, how, and by which release."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.support.load import open_loop


@dataclass(frozen=True)
class Seen:
    """`began` and `ended` in Unix seconds; `status` 0 when there was no answer, and `problem` says why."""

    began: float
    ended: float
    status: int
    release: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        return self.status == httpx.codes.OK


@dataclass
class Traffic:
    answers: list[Seen] = field(default_factory=list)
    sent: int = 0

    @property
    def failed(self) -> list[Seen]:
        return [seen for seen in self.answers if not seen.ok]

    def since(self, moment: float) -> list[Seen]:
        """Answers to requests that began at `moment` (Unix seconds) or later."""
        return [seen for seen in self.answers if seen.began >= moment]

    def releases(self, since: float = 0.0) -> Counter[str]:
        return Counter(seen.release for seen in self.since(since) if seen.ok)


@contextmanager
def constant_traffic(url: str, rate: float = 40.0, most: int = 20_000) -> Iterator[Traffic]:
    """`rate` requests a second while the block runs, at most `most`; all are answered when it is left."""
    traffic = Traffic()
    with open_loop(traffic, lambda client: _one(client, url, traffic), rate, most):
        yield traffic


async def _one(client: httpx.AsyncClient, url: str, traffic: Traffic) -> None:
    began = time.time()
    try:
        answer = await client.get(url)
        release = answer.json()["release"] if answer.headers.get("content-type", "").startswith("application/json") else ""
        seen = Seen(began, time.time(), answer.status_code, release, "" if answer.is_success else answer.text[:200])
    except (httpx.HTTPError, ValueError) as error:
        seen = Seen(began, time.time(), 0, "", f"{type(error).__name__}: {error}")
    traffic.answers.append(seen)
