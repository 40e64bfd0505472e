"""Addresses of places that work on this host."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from functools import cache

from pipelines.messages.deploy import Place
from pipelines.traefik import direct_path, host_name


@dataclass(frozen=True)
class Addresses:
    """Of the local router. `host` is what its entry points listen on."""

    host: str = "127.0.0.1"
    web: int = 8000
    preview: int = 8001

    def of(self, place: Place, preview: bool = False) -> str:
        """Base URL without a slash at its end: by name, or below a path where *.localhost is not resolved."""
        port = self.preview if preview else self.web
        if resolves(host_name(place)):
            return f"http://{host_name(place)}:{port}"
        return f"http://{self.host}:{port}{direct_path(place)}"


@cache
def resolves(name: str) -> bool:
    """Whether programs here find a *.localhost name at the loopback address; RFC 6761 asks for it, not every libc does it."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(each[4][0]).is_loopback for each in found)
