"""TCP ports: free or not, and who holds one."""

from __future__ import annotations

import socket

import psutil

from pipelines.errors import Conflict
from starter.stack.processes import wait

DYING_SECONDS = 2.0
"""A killed process still holds its ports for a moment, when it no longer shows as their holder."""


def in_use(port: int, host: str = "127.0.0.1") -> bool:
    """Somebody listens. A port in TIME_WAIT counts as free, as it does for a server with SO_REUSEADDR."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def holder(port: int) -> str:
    """'PID (name)' of who listens on it; '' when that cannot be seen."""
    try:
        listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        pid = next((each.pid for each in listening if each.pid and each.laddr and each.laddr[1] == port), None)
        return f"{pid} ({psutil.Process(pid).name()})" if pid else ""
    except psutil.Error:
        return ""


def require_free(port: int, setting: str, purpose: str) -> None:
    """Raises Conflict that names the port, its holder when known, and the setting that moves it."""
    if not in_use(port):
        return
    who = holder(port)
    if not who and wait(lambda: not in_use(port), DYING_SECONDS):
        return
    by = f" by process {who}" if who else ""
    remedy = f"Stop it, or choose another port: SWITCHYARD_PORTS__{setting.upper()}=PORT, or [ports] {setting} in switchyard.toml"
    raise Conflict(f"port {port} of the {purpose} is in use{by}", remedy)
