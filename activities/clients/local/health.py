"""How a replica is: does its readiness path answer, and if not, why."""

from __future__ import annotations

import http.client
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from activities.clients.local import state
from activities.clients.local.identity import is_running
from activities.clients.local.state import ReplicaSpec, ReplicaState, Spec
from activities.steps.masking import Masker
from pipelines.messages.deploy import ReplicaStatus

HOST = "127.0.0.1"
_TIMEOUT = 2.0
_LINES, _CHARACTERS = 6, 700
_TAIL = 16 * 1024
_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|API_?KEY|DSN", re.I)
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def look(spec: Spec, states: dict[str, ReplicaState], replicas: Sequence[ReplicaSpec]) -> list[ReplicaStatus]:
    """All at once, since a slow one takes up to two seconds to say so."""
    if not replicas:
        return []
    with ThreadPoolExecutor(min(len(replicas), 16)) as pool:
        return list(pool.map(lambda replica: _look(spec, states.get(replica["name"]), replica), replicas))


def _look(spec: Spec, found: ReplicaState | None, wanted: ReplicaSpec) -> ReplicaStatus:
    path = spec["release"]["process"]["readiness_path"]
    alive = found is not None and found["port"] == wanted["port"] and is_running(found["identity"])
    problem = _not_ready(wanted["port"], path) if alive else (found["problem"] if found else "") or "it does not run"
    ready = alive and not problem
    return ReplicaStatus(
        name=replica_name(spec, wanted["name"]),
        address=address(wanted["port"]),
        ready=ready,
        alive=alive,
        starting=not ready and not wanted["settled"],
        restarts=len(found["crashes"]) if found else 0,
        reason=_reason(spec, found, wanted["name"], problem),
    )


def replica_name(spec: Spec, name: str) -> str:
    return f"{spec['release']['id']}-{name}"


def address(port: int) -> str:
    return f"http://{HOST}:{port}"


def _not_ready(port: int, path: str) -> str:
    """Why not, or ''. As Kubernetes has it, any answer from 200 to 399 is ready."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT)
    try:
        connection.request("GET", path, headers={"User-Agent": "switchyard-readiness", "Connection": "close"})
        status = connection.getresponse().status
    except TimeoutError:
        return f"{path} did not answer within {_TIMEOUT:g} s"
    except (OSError, http.client.HTTPException) as error:
        return f"{path} cannot be asked: {getattr(error, 'strerror', None) or type(error).__name__}"
    finally:
        connection.close()
    return "" if 200 <= status < 400 else f"{path} answered {status}"


def _reason(spec: Spec, found: ReplicaState | None, name: str, problem: str) -> str:
    """The problem, and a crash that came before it, with the last log lines. '' when all is well and always was."""
    crashed = f"it crashed: {found['problem']}" if found and found["crashes"] else ""
    said = "; now ".join(part for part in (crashed, problem if problem not in crashed else "") if part)
    if not said:
        return ""
    lines = last_lines(spec, name, found["log_from"] if found and not crashed else 0)
    return f"{said}; last lines: {lines}" if lines else said


def last_lines(spec: Spec, name: str, start: int) -> str:
    """The end of the replica's log from byte `start` on: masked, without colours, in one line."""
    try:
        with Path(state.log_path(spec, name)).open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(start if start <= end else 0, end - _TAIL))
            data = file.read()
    except OSError:
        return ""
    secrets = [value for key, value in spec["env"].items() if _SECRET_NAME.search(key)]
    text = Masker(secrets).lines(data).decode("utf-8", "replace")
    lines = [line.strip() for line in _ANSI.sub("", text).splitlines() if line.strip()][-_LINES:]
    return " | ".join(lines)[-_CHARACTERS:]
