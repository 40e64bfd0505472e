"""What our own processes are given, and how their health is told."""

from __future__ import annotations

import http.server
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from pipelines.errors import Unavailable
from pipelines.ports import QUEUES
from pipelines.settings import Ports, Settings, Web
from starter.stack import worker
from starter.stack.part import environment, http_ok
from starter.stack.processes import Record
from starter.stack.web import WEB
from starter.stack.worker import WORKER, worker_file
from starter.token import read_token
from tests.support.ports import free_port


def test_processes_get_these_very_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHYARD_CONFIG", "conf/switchyard.toml")
    monkeypatch.setenv("OTHER", "kept")
    found = environment(Settings(state_dir=Path("state"), ports=Ports(web=9123)))
    assert found["SWITCHYARD_STATE_DIR"] == str(tmp_path / "state")
    assert found["SWITCHYARD_CONFIG"] == str(tmp_path / "conf" / "switchyard.toml")
    assert (found["SWITCHYARD_PORTS__WEB"], found["OTHER"]) == ("9123", "kept")
    assert str(Path(sys.executable).parent) in found["PATH"].split(os.pathsep)
    monkeypatch.setenv("PATH", found["PATH"])
    assert environment(Settings(state_dir=Path("state")))["PATH"] == found["PATH"]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def page() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(10)


def record(started: float = 0.0) -> Record:
    return Record(name="x", pid=1, started=started, command=[])


def test_the_web_server_is_healthy_when_it_says_so(page: int, tmp_path: Path) -> None:
    assert http_ok(page, "/healthz")
    assert not http_ok(page, "/other")
    assert not http_ok(free_port(), "/healthz")
    for host in ("127.0.0.1", "0.0.0.0"):
        assert WEB.healthy(Settings(state_dir=tmp_path, ports=Ports(web=page), web=Web(host=host)), record())


def test_the_web_server_gets_a_token_before_it_starts(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    assert read_token(settings) == ""
    WEB.before(settings)
    assert read_token(settings)
    assert WEB.command(settings)[0] == sys.executable


@activity.defn
async def idle() -> None:
    """Only its poller matters."""


async def test_the_worker_is_healthy_when_every_queue_was_polled_since_it_started(
    client: Client, temporal_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unique: str
) -> None:
    settings = Settings(state_dir=tmp_path)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_server)
    queues = [f"{unique}-one", f"{unique}-two"]
    monkeypatch.setattr(worker, "QUEUES", queues)
    begun = time.time() - 1
    async with Worker(client, task_queue=queues[0], activities=[idle]):
        assert not await worker._polls(settings, begun)
        async with Worker(client, task_queue=queues[1], activities=[idle]):
            deadline = time.monotonic() + 15
            while not await worker._polls(settings, begun):
                assert time.monotonic() < deadline, "the pollers were not seen"
            assert not await worker._polls(settings, time.time() + 60)


async def test_no_server_is_no_health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    assert not await worker._polls(Settings(state_dir=tmp_path), 0.0)


def test_the_worker_serves_all_queues_and_gets_its_time_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "worker_file", lambda: "/opt/worker.py")
    settings = Settings(state_dir=tmp_path)
    assert WORKER.command(settings) == [sys.executable, "/opt/worker.py", "--queues", ",".join(QUEUES)]
    assert WORKER.stop_patience(settings) > settings.worker.graceful_shutdown


def test_an_installation_without_a_worker_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="worker.py is not installed"):
        worker_file()
