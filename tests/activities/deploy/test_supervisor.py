"""The supervisor, one turn of its loop at a time and in this process; whole ones are in test_local_target and test_kills."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.clients.local import state
from activities.clients.local.identity import Identity, boot_id, identify, is_running, own
from activities.clients.local.replica import Replica
from activities.clients.local.state import MARK, ReplicaSpec, ReplicaState, Spec
from activities.clients.local.supervisor import Supervisor
from activities.steps.processes import marked, send
from tests.support.releases import until


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path = (tmp_path / "r1").resolve()
    for name in ("replicas", "app", "home", "tmp", "logs"):
        (path / name).mkdir(parents=True)
    yield path
    for name in ("1", "2"):
        send(marked(f"{MARK}={state.mark_of(path, name)}"), signal.SIGKILL)


@pytest.fixture
def supervisor(folder: Path) -> Iterator[Supervisor]:
    """Its signal handlers are taken away again."""
    numbers = (signal.SIGUSR1, signal.SIGCHLD, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    made = Supervisor(folder)
    yield made
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


def _wanted(name: str = "1", port: int = 20001, settled: bool = False) -> ReplicaSpec:
    return ReplicaSpec(name=name, port=port, settled=settled)


def _spec(folder: Path, *replicas: ReplicaSpec, command: str = "sleep 100", serial: int = 1) -> Spec:
    return Spec(
        serial=serial,
        command=command,
        folder=str(folder),
        logs=str(folder / "logs"),
        env={"PATH": os.environ["PATH"]},
        stop_timeout=0.3,
        log_limit=100,
        replicas=list(replicas),
        release={},
    )


def _turn(supervisor: Supervisor, spec: Spec) -> bool:
    """One turn of its loop, without sleeping; True when it is over."""
    supervisor._follow(spec, None)
    supervisor._reap()
    for replica in list(supervisor._replicas.values()):
        replica.step(spec)
    return supervisor._tell(spec)


def _states(folder: Path) -> dict[str, ReplicaState]:
    status = state.read_status(folder)
    assert status is not None
    return status["replicas"]


def _pid(folder: Path, name: str = "1") -> int:
    identity = _states(folder)[name]["identity"]
    assert identity is not None
    return identity["pid"]


def test_what_is_wanted_is_started_and_told(supervisor: Supervisor, folder: Path) -> None:
    spec = _spec(folder, _wanted("1"), _wanted("2", 20002), serial=7)
    assert not _turn(supervisor, spec)
    status = state.read_status(folder)
    assert status is not None
    assert (status["serial"], status["supervisor"]["pid"]) == (7, os.getpid())
    assert {name: found["port"] for name, found in status["replicas"].items()} == {"1": 20001, "2": 20002}
    until(lambda: (folder / "replicas/1.json").exists(), "it has recorded itself")
    assert state.read_identity(folder / "replicas/1.json") == status["replicas"]["1"]["identity"]


def test_its_end_is_told_and_it_is_started_again(supervisor: Supervisor, folder: Path) -> None:
    spec = _spec(folder, _wanted(settled=True), command="exit 5")
    _turn(supervisor, spec)
    until(lambda: _turn(supervisor, spec) or _states(folder)["1"]["exits"] >= 2, "it has ended twice")
    found = _states(folder)["1"]
    assert found["problem"] == "exit status 5"
    assert len(found["crashes"]) == found["exits"]


def test_failed_starts_are_no_crashes_and_wait_longer_each_time(supervisor: Supervisor, folder: Path) -> None:
    spec = _spec(folder, _wanted(), command="exit 5")
    began = time.monotonic()
    until(lambda: _turn(supervisor, spec) or _states(folder)["1"]["exits"] >= 4, "it has ended four times")
    assert time.monotonic() - began >= 0.25 + 0.5
    assert _states(folder)["1"]["crashes"] == []


def test_a_signal_is_named(supervisor: Supervisor, folder: Path) -> None:
    spec = _spec(folder, _wanted())
    _turn(supervisor, spec)
    os.kill(_pid(folder), signal.SIGKILL)
    until(lambda: _turn(supervisor, spec) or _states(folder)["1"]["exits"], "it has ended")
    assert _states(folder)["1"]["problem"] == "ended by SIGKILL"


def test_what_is_not_wanted_any_more_is_asked_to_end(supervisor: Supervisor, folder: Path) -> None:
    _turn(supervisor, _spec(folder, _wanted("1"), _wanted("2", 20002)))
    gone, kept = _pid(folder, "1"), _pid(folder, "2")
    spec = _spec(folder, _wanted("2", 20002), serial=2)
    until(lambda: _turn(supervisor, spec) or set(_states(folder)) == {"2"}, "one is left")
    assert identify(gone) is None
    assert _pid(folder, "2") == kept
    assert _states(folder)["2"]["exits"] == 0


def test_one_that_does_not_listen_is_killed_in_the_end(supervisor: Supervisor, folder: Path) -> None:
    spec = _spec(folder, _wanted(), command="trap '' TERM; touch ready; sleep 100 & wait; wait")
    _turn(supervisor, spec)
    until(lambda: (folder / "app/ready").exists(), "it has set its trap")
    began = time.monotonic()
    last = _spec(folder, serial=2)
    until(lambda: _turn(supervisor, last), "it is over")
    assert time.monotonic() - began >= 0.25
    assert marked(f"{MARK}={state.mark_of(folder, '1')}") == []


def test_another_port_means_another_process(supervisor: Supervisor, folder: Path) -> None:
    _turn(supervisor, _spec(folder, _wanted(port=20001)))
    before = _pid(folder)
    spec = _spec(folder, _wanted(port=20009), serial=2)
    until(lambda: _turn(supervisor, spec) or _states(folder)["1"]["port"] == 20009, "it has moved")
    assert _pid(folder) != before
    assert _states(folder)["1"]["exits"] == 0


def test_asked_to_end_it_stops_everything(supervisor: Supervisor, folder: Path) -> None:
    spec = _spec(folder, _wanted())
    _turn(supervisor, spec)
    pid = _pid(folder)
    os.kill(os.getpid(), signal.SIGTERM)
    until(lambda: _turn(supervisor, spec), "it is over")
    assert identify(pid) is None


def test_it_sleeps_until_something_is_due(supervisor: Supervisor, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("select.select", lambda *files: slept.append(files[-1]))
    spec = _spec(folder, _wanted(), command="exit 1")
    until(lambda: _turn(supervisor, spec) or _states(folder)["1"]["exits"] >= 3, "it waits for half a second now")
    os.read(supervisor._wake, 512)
    supervisor._sleep(spec)
    assert slept == [pytest.approx(0.25, abs=0.25)]


def test_a_long_log_is_cut_and_its_end_is_kept(supervisor: Supervisor, folder: Path) -> None:
    spec = _spec(folder, _wanted())
    _turn(supervisor, spec)
    log = folder / "logs/1.log"
    log.write_text("x" * 101)
    supervisor._trim(spec)
    assert (log.stat().st_size, (folder / "logs/1.log.1").stat().st_size) == (0, 101)


def _stranger(folder: Path, name: str) -> subprocess.Popen[bytes]:
    """As if an earlier supervisor had started it: it is recorded, and its end is not told to whoever comes next."""
    env = {"PATH": os.environ["PATH"], MARK: state.mark_of(folder, name)}
    process = subprocess.Popen(["sleep", "100"], env=env, start_new_session=True)
    state.write(folder / "replicas" / f"{name}.json", identify(process.pid))
    return process


def test_what_an_earlier_supervisor_started_is_taken_over(folder: Path) -> None:
    process = _stranger(folder, "1")
    replica = Replica(folder, _wanted(settled=True), None)
    replica.step(_spec(folder, _wanted(settled=True)))
    assert (replica.pid, replica.child) == (process.pid, False)
    process.kill()
    process.wait()
    replica.step(_spec(folder))
    found = replica.state()
    assert (found["exits"], found["problem"], len(found["crashes"])) == (1, "it ended, and nobody saw how", 1)


def test_one_that_ended_between_two_supervisors(folder: Path) -> None:
    process = _stranger(folder, "1")
    process.kill()
    process.wait()
    found = Replica(folder, _wanted(settled=True), None).state()
    assert (found["identity"], found["exits"], found["problem"]) == (None, 1, "it ended while nobody watched over it")


def test_one_of_before_a_reboot_has_not_crashed(folder: Path) -> None:
    state.write(folder / "replicas/1.json", Identity(pid=os.getpid(), started=own()["started"], boot="another boot"))
    found = Replica(folder, _wanted(settled=True), None).state()
    assert (found["identity"], found["exits"]) == (None, 0)


def test_a_surplus_one_of_an_earlier_supervisor_is_ended(supervisor: Supervisor, folder: Path) -> None:
    process = _stranger(folder, "2")
    until(lambda: _turn(supervisor, _spec(folder)) and process.poll() is not None, "it is gone")


def test_old_crashes_are_forgiven(folder: Path) -> None:
    now = time.time()
    before = ReplicaState(identity=None, port=20001, exits=2, crashes=[now - 3600, now - 5], problem="exit status 1", log_from=0)
    assert Replica(folder, _wanted(settled=True), before).state()["crashes"] == [now - 5]


def test_a_pid_alone_is_nobody() -> None:
    me = own()
    assert is_running(me)
    assert not is_running(None)
    assert not is_running(Identity(pid=me["pid"], started=me["started"] - 1, boot=boot_id()))
    assert not is_running(Identity(pid=me["pid"], started=me["started"], boot="another"))
    assert identify(2**22 + 1) is None


def test_a_zombie_has_ended() -> None:
    process = subprocess.Popen(["true"])
    until(lambda: identify(process.pid) is None, "it is a zombie")
    assert identify(process.pid, zombie=True) is not None
    process.wait()


def test_a_half_written_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{"serial": 1')
    assert state.read_spec(tmp_path) is None
    assert state.read_status(tmp_path) is None


def test_specs_are_their_owners_alone(tmp_path: Path) -> None:
    state.write(tmp_path / "spec.json", {"env": {"TOKEN": "x"}})
    assert (tmp_path / "spec.json").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]
