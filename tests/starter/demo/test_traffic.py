"""The demo's load generator tells a service's own errors from requests that nobody answered."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter

from starter.demo.traffic import Traffic


async def _serve(reply: bytes) -> tuple[asyncio.Server, int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def _reply(status: str, version: str | None) -> bytes:
    header = f"X-Version: {version}\r\n" if version else ""
    return f"HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()


async def _drive(port: int, seconds: float = 0.3) -> Traffic:
    traffic, stop = Traffic(f"http://127.0.0.1:{port}/quote", "quotes.localhost", rate=100), asyncio.Event()
    driving = asyncio.create_task(traffic.run(stop))
    await asyncio.sleep(seconds)
    stop.set()
    await driving
    return traffic


async def test_answers_are_counted_by_version() -> None:
    server, port = await _serve(_reply("200 OK", "1.2"))
    async with server:
        traffic = await _drive(port)
    assert traffic.sent > 5
    assert traffic.answered == Counter({"1.2": traffic.sent})
    assert (traffic.errors, traffic.lost) == (Counter(), [])


async def test_an_error_of_the_service_is_an_answer() -> None:
    server, port = await _serve(_reply("500 Internal Server Error", "1.3"))
    async with server:
        traffic = await _drive(port)
    assert traffic.errors == traffic.answered == Counter({"1.3": traffic.sent})
    assert traffic.lost == []


async def test_an_error_of_the_proxy_is_a_lost_request() -> None:
    server, port = await _serve(_reply("502 Bad Gateway", None))
    async with server:
        traffic = await _drive(port)
    assert len(traffic.lost) == traffic.sent
    assert traffic.lost[0] == "502 from the proxy"


async def test_no_connection_is_a_lost_request() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        traffic = await _drive(closed.getsockname()[1])
    assert traffic.sent > 5
    assert len(traffic.lost) == traffic.sent
    assert "ConnectError" in traffic.lost[0]


async def test_the_rate_does_not_wait_for_answers() -> None:
    """Open loop: a slow service gets as many requests as a fast one."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.write(_reply("200 OK", "1"))
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        traffic = await _drive(server.sockets[0].getsockname()[1], seconds=0.6)
    assert traffic.sent > 20
    assert traffic.answered["1"] == traffic.sent


async def test_the_difference_of_two_snapshots_is_what_was_between_them() -> None:
    traffic = Traffic("http://127.0.0.1:1/", "x")
    traffic.answered["a"] = 3
    before = traffic.snapshot()
    traffic.answered.update(["a", "b"])
    assert traffic.snapshot() - before == Counter({"a": 1, "b": 1})
