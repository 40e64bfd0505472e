"""Ports for replicas, each given to one only, from a range that the kernel takes no ports for outgoing connections from."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

from pipelines.errors import Unavailable

FIRST, LAST = 20000, 32000
"""Below Linux's default range of ephemeral ports (32768 to 60999)."""


def free(root: Path, host: str, count: int) -> list[int]:
    """Ports that no replica below `root` has and nobody listens on. The caller holds the lock on ports until they are written
    into a spec. Raises Unavailable when there are none left."""
    taken = set(given(root))
    start = random.randrange(LAST - FIRST)  # noqa: S311
    candidates = (FIRST + (start + step) % (LAST - FIRST) for step in range(LAST - FIRST))
    found: list[int] = []
    for port in candidates:
        if len(found) == count:
            return found
        if port not in taken and is_free(host, port):
            found.append(port)
    raise Unavailable(f"no port between {FIRST} and {LAST} is free on {host}", "Retire releases that are not needed")


def given(root: Path) -> Iterator[int]:
    """Ports of all replicas that shall run on this host."""
    for path in root.glob("*/*/*/spec.json"):
        try:
            yield from (replica["port"] for replica in json.loads(path.read_text())["replicas"])
        except (OSError, ValueError, KeyError):
            continue


def is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def owns(pid: int, port: int) -> bool:
    """Whether the process or one that it has started listens on the port, and not a stranger who took it first."""
    try:
        replica = psutil.Process(pid)
        everybody = [replica, *replica.children(recursive=True)]
    except psutil.NoSuchProcess:
        return False
    return any(_listens(process, port) for process in everybody)


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections)
