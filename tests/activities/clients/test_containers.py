"""The Docker adapter against a server that speaks Docker's API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.clients.containers import Containers, ContainerSpec
from pipelines.errors import SettingsError, StepFailed, Unavailable
from tests.support.docker_daemon import Daemon
from tests.support.ports import free_port


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with Daemon() as daemon:
        yield daemon


def _spec(folder: Path, script: str, image: str = "debian:12", program: str = "sh") -> ContainerSpec:
    argv = (program, "-c", script)
    return ContainerSpec("one", image, argv, {"A": "1"}, str(folder), "0:0", (str(folder),))


def test_a_life(daemon: Daemon, tmp_path: Path) -> None:
    containers = Containers(daemon.address)
    assert containers.find("one") is None
    containers.start(_spec(tmp_path, "echo out; echo $A; exit 3"))
    assert b"".join(containers.output("one")) == b"out\n1\n"
    ended = containers.wait("one")
    assert (ended.status, ended.exit_code, ended.out_of_memory) == ("exited", 3, False)
    assert containers.find("one") == ended
    containers.remove("one")
    assert containers.find("one") is None
    containers.remove("one")
    containers.stop("one", 1)


def test_starting_twice_is_starting_once(daemon: Daemon, tmp_path: Path) -> None:
    containers = Containers(daemon.address)
    for _ in range(2):
        containers.start(_spec(tmp_path, "echo ran >> effects; sleep 0.2"))
    containers.wait("one")
    assert (tmp_path / "effects").read_text() == "ran\n"


def test_stopping(daemon: Daemon, tmp_path: Path) -> None:
    containers = Containers(daemon.address)
    containers.start(_spec(tmp_path, "sleep 60"))
    containers.stop("one", 0.3)
    assert containers.wait("one").exit_code == 128 + 15


def test_an_image_that_is_not_here_is_pulled_once(daemon: Daemon, tmp_path: Path) -> None:
    containers = Containers(daemon.address)
    containers.start(_spec(tmp_path, "true", "busybox:1"))
    containers.remove("one")
    containers.start(_spec(tmp_path, "true", "busybox:1"))
    assert daemon.requests.count(("POST", "/images/create")) == 1


def test_what_is_the_steps_own_fault(daemon: Daemon, tmp_path: Path) -> None:
    containers = Containers(daemon.address)
    with pytest.raises(StepFailed, match="image no/where:1 cannot be had"):
        containers.start(_spec(tmp_path, "true", "no/where:1"))
    with pytest.raises(StepFailed, match="could not be started.*exec"):
        containers.start(_spec(tmp_path, "true", program="no-such-program"))


def test_what_is_gone_is_an_outage(daemon: Daemon) -> None:
    containers = Containers(daemon.address)
    for ask in (containers.wait, containers.output):
        with pytest.raises(Unavailable, match="is gone"):
            ask("never-there")


def test_no_daemon() -> None:
    containers = Containers(f"tcp://127.0.0.1:{free_port()}")
    for _ in range(2):
        with pytest.raises(SettingsError, match="no Docker daemon answers") as raised:
            containers.find("one")
        assert "DOCKER_HOST" in raised.value.remedy


def test_a_daemon_that_ends_is_an_outage() -> None:
    with Daemon() as daemon:
        containers = Containers(daemon.address)
        assert containers.find("one") is None
    with pytest.raises(Unavailable, match="Docker daemon failed"):
        containers.find("one")
