"""What is in a release's folder. Standard library only: this runs in the supervisor.

spec.json          what shall run; written by the worker only, `serial` rises with each change
status.json        what runs; written by the supervisor only, `serial` is that of the spec it has seen last
lock               held by the supervisor as long as it lives (its text: its identity), and by a replica until it is recorded
replicas/NAME.json identity of a replica, written by itself before it becomes the service's program
app/               the unpacked artifact, home/ and tmp/ for the service's own use
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypedDict, cast

from activities.clients.local.identity import Identity

MARK = "SWITCHYARD_REPLICA"
"""Environment variable by which everything that a replica has started is found."""


class ReplicaSpec(TypedDict):
    """`settled`: it was ready once, so that its end is a crash and not a failed start."""

    name: str
    port: int
    settled: bool


class Spec(TypedDict):
    """`env` is the whole environment but for what differs by replica; `log_limit` in bytes; `release` is for the worker."""

    serial: int
    command: str
    folder: str
    logs: str
    env: dict[str, str]
    stop_timeout: float
    log_limit: int
    replicas: list[ReplicaSpec]
    release: dict[str, Any]


class ReplicaState(TypedDict):
    """`exits` counts every end, `crashes` are the times (Unix seconds) of those after it had been ready; `log_from`: bytes of its
    log that an earlier process wrote."""

    identity: Identity | None
    port: int
    exits: int
    crashes: list[float]
    problem: str
    log_from: int


class Status(TypedDict):
    serial: int
    supervisor: Identity
    replicas: dict[str, ReplicaState]


def read_spec(folder: Path) -> Spec | None:
    return cast("Spec | None", _read(folder / "spec.json"))


def read_status(folder: Path) -> Status | None:
    return cast("Status | None", _read(folder / "status.json"))


def read_identity(path: Path) -> Identity | None:
    return cast("Identity | None", _read(path))


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def write(path: Path, value: object) -> None:
    """Whole or not at all, also through a power failure; readable by its owner only, since environments may hold secrets."""
    made = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def log_path(spec: Spec, name: str) -> Path:
    return Path(spec["logs"]) / f"{name}.log"


def mark_of(folder: Path, name: str) -> str:
    return f"{folder}#{name}"
