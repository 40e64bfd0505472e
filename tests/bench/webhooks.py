"""GitHub's side of a webhook: signed pushes over kept connections, one at a time or at a steady rate."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

SECRET = "bench"
"""Of a stack that lives for minutes on the loopback interface."""


@dataclass(frozen=True)
class Answer:
    """`late`: milliseconds from the moment at which the request was due to the last byte of its answer."""

    status: int
    late: float
    body: bytes


def push(url: str, sha: str) -> bytes:
    """The body of a push of one commit to the default branch."""
    repository = {"full_name": "bench/service", "clone_url": url, "default_branch": "main"}
    commit = {"id": sha, "message": "a change"}
    event = {"ref": "refs/heads/main", "before": "0" * 40, "after": sha, "head_commit": commit, "repository": repository}
    return json.dumps(event | {"sender": {"login": "ann"}}).encode()


def post(body: bytes) -> bytes:
    """The whole HTTP request, signed as GitHub signs."""
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    lines = [
        "POST /webhooks/github HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        "X-GitHub-Event: push",
        f"X-Hub-Signature-256: sha256={signature}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Sender:
    """Connections to the web server; each carries one request at a time and is kept for the next."""

    port: int
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def send(self, request: bytes, due: float) -> Answer:
        """`due` as time.perf_counter() counts: a request that leaves late counts from when it should have left."""
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        status, body = await _answer(reader)
        late = (time.perf_counter() - due) * 1000
        self._idle.append((reader, writer))
        return Answer(status, late, body)

    async def at_rate(self, requests: Sequence[bytes], rate: float) -> list[Answer]:
        """Open loop: every request leaves at its time, whether earlier ones were answered or not."""
        begun = time.perf_counter() + 0.1
        sending = []
        for number, request in enumerate(requests):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sending.append(asyncio.create_task(self.send(request, due)))
        return list(await asyncio.gather(*sending))

    async def connect(self, count: int) -> None:
        """Have that many connections ready."""
        opened = [await asyncio.open_connection("127.0.0.1", self.port) for _ in range(count)]
        self._idle.extend(opened)

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next(int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)
