"""Golden histories on disk: compact, and without a word about the machine that recorded them."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

FOLDER = Path(__file__).parent / "histories"

_MACHINE = {"stackTrace", "binaryChecksum", "workerVersion"}
"""Keys of events that tell about a machine and that no replay needs."""


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.json.gz"


def recorded() -> list[str]:
    """Names of the scenarios whose histories are there."""
    return sorted(path.name.removesuffix(".json.gz") for path in FOLDER.glob("*.json.gz"))


def write(name: str, history: WorkflowHistory) -> Path:
    """Equal histories give equal bytes."""
    events = json.loads(history.to_json())["events"]
    text = json.dumps({"workflow_id": history.workflow_id, "events": normalised(events)}, separators=(",", ":"), sort_keys=True)
    FOLDER.mkdir(exist_ok=True)
    path_of(name).write_bytes(gzip.compress(text.encode(), mtime=0))
    return path_of(name)


def read(name: str) -> WorkflowHistory:
    found = json.loads(gzip.decompress(path_of(name).read_bytes()))
    return WorkflowHistory.from_json(found["workflow_id"], {"events": found["events"]})


def normalised(part: Any) -> Any:
    """Without stack traces and versions."""
    if isinstance(part, list):
        return [normalised(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {key: normalised(value) for key, value in part.items() if key not in _MACHINE}


def words(history: WorkflowHistory) -> str:
    """All of a history as text, payloads decoded, to look for what must not be in it."""
    return "\n".join(_words(json.loads(history.to_json())))


def _words(part: Any) -> list[str]:
    if isinstance(part, list):
        return [word for each in part for word in _words(each)]
    if isinstance(part, dict):
        own = base64.b64decode(part["data"]).decode() if isinstance(part.get("data"), str) else ""
        return [own, *(word for key, value in part.items() if key != "data" for word in _words(value))]
    return [str(part)]
