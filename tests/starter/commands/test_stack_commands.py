"""up, status, down, doctor as commands, with real servers on free ports."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.settings import Ports
from starter.cli import app
from tests.starter.commands.conftest import data
from tests.support.components import program
from tests.support.ports import free_ports

pytestmark = pytest.mark.component("traefik")


@pytest.fixture
def ports(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Ports:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    program("temporal")
    program("traefik")
    ports = Ports(**dict(zip(Ports.model_fields, free_ports(len(Ports.model_fields)), strict=True)))
    for name, port in ports.model_dump().items():
        monkeypatch.setenv(f"SWITCHYARD_PORTS__{name.upper()}", str(port))
    return ports


def cli(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_up_status_down(ports: Ports, state_dir: Path) -> None:
    try:
        raised = cli("up", "--only", "temporal", "--only", "proxy")
        assert raised.exit_code == 0, raised.output
        assert f"Temporal server: started 127.0.0.1:{ports.temporal} 127.0.0.1:{ports.temporal_ui}" in raised.stdout
        assert f"Temporal:  http://127.0.0.1:{ports.temporal_ui}" in raised.stdout
        again = data(cli("up", "--only", "temporal", "--json"))
        assert [(part["name"], part["state"]) for part in again] == [("temporal", "running")]
        shown = cli("status", "--json")
        assert shown.exit_code == 3
        states = {part["name"]: part["state"] for part in json.loads(shown.stdout)}
        assert states == {"temporal": "healthy", "proxy": "healthy", "worker": "down", "web": "down"}
        assert "healthy" in cli("status").stdout
        assert data(cli("runs", "--json")) == []
    finally:
        lowered = cli("down", "--releases")
    assert lowered.exit_code == 0
    assert "Temporal server: stopped" in lowered.stdout
    assert "released services: none were running" in lowered.stdout
    assert (state_dir / "stack" / "temporal.log").exists()


def test_a_taken_port_is_told_before_anything_is_started(ports: Ports) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports.proxy))
        taken.listen()
        refused = cli("up", "--only", "proxy")
    assert refused.exit_code == 1
    assert f"port {ports.proxy} of the proxy (Traefik) is in use" in refused.stderr
    assert "Traceback" not in refused.output


def test_doctor_says_what_is_missing_and_the_remedy(ports: Ports) -> None:
    said = cli("doctor")
    assert said.exit_code == 1
    assert "Temporal does not answer" in said.stdout
    assert "switchyard up" in said.stdout
    found = {check["name"]: check["state"] for check in json.loads(cli("doctor", "--json").stdout)}
    assert (found["git"], found["temporal server"]) == ("ok", "bad")
