"""Settings of a stack of the test's own: free ports, a state directory, and whatever was started is ended."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import Ports, Settings
from starter.stack import stack
from starter.stack.processes import recall
from tests.support.components import program
from tests.support.ports import free_ports


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_API_KEY", "SWITCHYARD_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    for needed in ("temporal", "traefik"):
        program(needed)
    ports = Ports(**dict(zip(Ports.model_fields, free_ports(len(Ports.model_fields)), strict=True)))
    found = Settings(state_dir=tmp_path / "state", ports=ports)
    yield found
    for part in stack.PARTS:
        record = recall(part.name, found.layout.stack)
        if record:
            with contextlib.suppress(ProcessLookupError):
                signal_group(record.pid)


def signal_group(pid: int) -> None:
    """SIGKILL to a process that was started as the leader of its group."""
    import os

    os.killpg(pid, signal.SIGKILL)
