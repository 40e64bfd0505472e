"""Steps that name an image, against a server that speaks Docker's API and runs containers as processes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.clients.containers import Containers
from pipelines.errors import HostLost, SettingsError, Unavailable
from pipelines.messages.common import Status
from pipelines.spec import SecretRef
from tests.support.docker_daemon import Daemon
from tests.support.ports import free_port
from tests.support.steps import Host, alive, eventually


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with Daemon() as daemon:
        yield daemon


@pytest.fixture
def docked(tmp_path: Path, daemon: Daemon) -> Iterator[Host]:
    host = Host(tmp_path, {"PASSWORD": "hunter22"}, containers=Containers(daemon.address))
    yield host
    host.steps.close()


IMAGE = "debian:12"
ONCE = "echo $$ >> effects; while [ ! -e go ]; do sleep 0.02; done; echo ended"


async def test_it_runs_in_a_container_that_is_removed(docked: Host, daemon: Daemon) -> None:
    result = await docked.run("echo hello; echo > made; exit 3", image=IMAGE)
    assert (result.status, result.exit_code, result.message) == (Status.failed, 3, "exit status 3: hello")
    assert docked.log(result) == "hello"
    assert (docked.workspace / "made").exists()
    assert daemon.boxes == {}


async def test_what_the_container_is_given(docked: Host, daemon: Daemon) -> None:
    (docked.workspace / "sub").mkdir()
    limits = {"memory_mb": 64, "processes": 20, "open_files": 128, "cpu_seconds": 9}
    await docked.run("env", image=IMAGE, workdir="sub", limits=limits, env={"ONE": "1"})
    [given] = daemon.created
    workspace = str(docked.workspace.resolve())
    host = given["HostConfig"]
    assert (host["Memory"], host["PidsLimit"], host["Init"]) == (64 << 20, 20, True)
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]} == {"core": 0, "cpu": 9, "nofile": 128}
    assert f"{workspace}:{workspace}:rw" in host["Binds"]
    assert (given["WorkingDir"], given["Image"]) == (f"{workspace}/sub", IMAGE)
    owner = docked.workspace.stat()
    assert given["User"] == f"{owner.st_uid}:{owner.st_gid}"
    names = {pair.split("=")[0] for pair in given["Env"]}
    assert {"ONE", "HOME", "TMPDIR", "CI"} <= names and "PATH" not in names


async def test_secrets_are_masked(docked: Host) -> None:
    result = await docked.run("echo it is $P; exit 1", image=IMAGE, secrets={"P": SecretRef(env="PASSWORD")})
    assert docked.log(result) == "it is ***"
    assert result.message == "exit status 1: it is ***"


async def test_an_image_is_pulled(docked: Host, daemon: Daemon) -> None:
    assert (await docked.run("true", image="busybox:1")).status == Status.passed
    assert ("POST", "/images/create") in daemon.requests


async def test_an_image_that_nobody_has(docked: Host) -> None:
    result = await docked.run("true", image="nobody/has:it")
    assert result.status == Status.failed
    assert "image nobody/has:it cannot be had: pull access denied" in result.message


async def test_a_shell_that_the_image_lacks(docked: Host, daemon: Daemon) -> None:
    daemon.images.add("empty:1")
    result = await docked.run("true", image="empty:1", env={"PATH": "/nowhere"})
    assert result.status == Status.passed, "the host's PATH is not the image's"


async def test_it_is_attached_to(docked: Host, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hand_over() -> str:
        return "hand-over"

    step = docked.input(f"echo before; {ONCE}", image=IMAGE)
    log = docked.layout.logs / docked.layout.step_log("run", "build", 0)
    with monkeypatch.context() as patch:
        patch.setattr("activities.build.why_cancelled", hand_over)
        first = asyncio.ensure_future(docked.steps.run_step(step))
        await docked.until("effects", "\n")
        await eventually(lambda: log.exists() and "before" in log.read_text(), "the log is followed")
        first.cancel()
        with pytest.raises(HostLost):
            await first
    again = asyncio.ensure_future(docked.steps.run_step(step))
    (docked.workspace / "go").touch()
    result = await again
    assert result.status == Status.passed
    assert docked.log(result) == "before\nended", "no line twice, none missing"
    assert len(docked.file("effects").split()) == 1
    assert len(daemon.created) == 1


async def test_one_that_ended_meanwhile_is_read(docked: Host, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hand_over() -> str:
        return "hand-over"

    step = docked.input(f"{ONCE}; exit 4", image=IMAGE)
    with monkeypatch.context() as patch:
        patch.setattr("activities.build.why_cancelled", hand_over)
        first = asyncio.ensure_future(docked.steps.run_step(step))
        process = int(await docked.until("effects", "\n"))
        first.cancel()
        with pytest.raises(HostLost):
            await first
    (docked.workspace / "go").touch()
    await eventually(lambda: not alive(process), "it ended by itself")
    result = await docked.steps.run_step(step)
    assert (result.status, result.exit_code, docked.log(result)) == (Status.failed, 4, "ended")
    assert len(daemon.created) == 1


async def test_abort_ends_it(docked: Host, daemon: Daemon) -> None:
    running = asyncio.ensure_future(docked.run("echo $$ >> effects; sleep 300", image=IMAGE))
    process = int(await docked.until("effects", "\n"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive(process)
    assert daemon.boxes == {}


async def test_it_has_its_time(docked: Host, daemon: Daemon) -> None:
    result = await docked.run("echo begun; sleep 300", image=IMAGE, timeout=0.7)
    assert (result.status, result.message) == (Status.failed, "timed out after 700ms")
    assert docked.log(result) == "begun\n[switchyard] timed out after 700ms"
    assert daemon.boxes == {}


async def test_a_container_that_was_created_and_not_started(
    docked: Host, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the worker dies between the two."""
    from docker.models.containers import Container

    def outage(self: Container) -> None:
        raise Unavailable("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Container, "start", outage)
        with pytest.raises(Unavailable):
            await docked.run("echo ran >> effects", image=IMAGE)
    assert [box.status for box in daemon.boxes.values()] == ["created"]
    assert (await docked.run("echo ran >> effects", image=IMAGE)).status == Status.passed
    assert docked.file("effects") == "ran\n"


async def test_a_container_that_somebody_removed_is_run_again(docked: Host, daemon: Daemon) -> None:
    running = asyncio.ensure_future(docked.run("echo $$ >> effects; [ -e go ] || sleep 300", image=IMAGE))
    await docked.until("effects", "\n")
    [(name, box)] = daemon.boxes.items()
    del daemon.boxes[name]
    box.kill(9)
    with pytest.raises(Unavailable, match="is gone|was removed"):
        await running
    (docked.workspace / "go").touch()
    assert (await docked.run("echo $$ >> effects; [ -e go ] || sleep 300", image=IMAGE)).status == Status.passed
    assert len(docked.file("effects").split()) == 2


async def test_without_docker_it_says_what_to_do(tmp_path: Path) -> None:
    host = Host(tmp_path, containers=Containers(f"tcp://127.0.0.1:{free_port()}"))
    with pytest.raises(SettingsError, match="no Docker daemon answers") as raised:
        await host.run("true", image=IMAGE)
    assert "Start Docker" in raised.value.remedy


async def test_a_daemon_that_goes_away_is_an_outage(tmp_path: Path) -> None:
    with Daemon() as daemon:
        host = Host(tmp_path, containers=Containers(daemon.address))
        running = asyncio.ensure_future(host.run(ONCE, image=IMAGE))
        await host.until("effects", "\n")
    (host.workspace / "go").touch()
    with pytest.raises(Unavailable):
        await running
