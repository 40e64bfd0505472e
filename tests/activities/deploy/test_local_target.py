"""Releases as real processes of this host."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx
import pytest

from activities.clients.local import ports
from pipelines.errors import Busy, NotFound, ReleaseUnhealthy, SettingsError
from pipelines.messages.common import ArtifactRef
from pipelines.messages.deploy import EnsureInput, Place, PrepareInput
from tests.support.releases import Bench, until


def _pids(bench: Bench, name: str) -> set[int]:
    return {process.pid for process in bench.replicas(name)}


def test_replicas_run_answer_and_know_who_they_are(bench: Bench) -> None:
    status = bench.ensure(bench.release("r1"), 3)
    assert status.ready == 3
    assert len({replica.address for replica in status.replicas}) == 3
    answers = [httpx.get(replica.address).json() for replica in status.replicas]
    assert {answer["release"] for answer in answers} == {"r1"}
    env = answers[0]["env"]
    assert (env["SWITCHYARD_ENVIRONMENT"], env["SWITCHYARD_SERVICE"], env["SWITCHYARD_VERSION"]) == ("staging", "shop", "1")
    assert env["HOME"].startswith(str(bench.root.resolve()))


def test_nothing_of_the_workers_environment_leaks(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_SECRET", "do-not-tell")
    status = bench.ensure(bench.release("r1", env={"COLOUR": "green"}))
    env = httpx.get(status.replicas[0].address).json()["env"]
    assert "WORKER_SECRET" not in env
    assert env["COLOUR"] == "green"


def test_ensuring_twice_is_ensuring_once(bench: Bench) -> None:
    release = bench.release("r1")
    first = bench.ensure(release, 2)
    pids = _pids(bench, "r1")
    assert bench.ensure(release, 2) == first
    assert _pids(bench, "r1") == pids


def test_more_are_added_and_surplus_ones_stopped_while_the_others_go_on(bench: Bench) -> None:
    release = bench.release("r1")
    bench.ensure(release, 1)
    [first] = _pids(bench, "r1")
    bench.ensure(release, 3)
    assert first in _pids(bench, "r1")
    assert bench.ensure(release, 1).ready == 1
    assert _pids(bench, "r1") == {first}


def test_replicas_are_nobodys_children_and_have_no_terminal(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    supervisor = bench.supervisor("r1")
    [replica] = bench.replicas("r1")
    assert supervisor.ppid() != os.getpid()
    assert os.getsid(supervisor.pid) != os.getsid(0)
    assert os.getsid(replica.pid) == replica.pid
    assert Path(f"/proc/{replica.pid}/fd/0").readlink() == Path("/dev/null")


def test_a_crashed_replica_comes_back_by_itself_and_the_crash_is_told(bench: Bench) -> None:
    release = bench.release("r1")
    address = bench.ensure(release).replicas[0].address
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{address}/exit?9")
    until(lambda: bench.deploy.inspect(release).ready == 1, "the replica is back")
    [replica] = bench.deploy.inspect(release).replicas
    assert replica.restarts == 1
    assert replica.address == address
    assert "exit status 9" in replica.reason


async def test_a_watch_ends_when_the_release_breaks(bench: Bench) -> None:
    release = bench.release("r1")
    bench.ensure(release)
    [replica] = bench.replicas("r1")
    replica.kill()
    status = await bench.deploy.watch(release)
    assert "SIGKILL" in status.replicas[0].reason


async def test_a_watch_ends_when_the_release_is_gone(bench: Bench) -> None:
    release = bench.release("r1")
    bench.ensure(release)
    bench.retire("r1")
    assert (await bench.deploy.watch(release)).replicas == []


def test_a_replica_that_is_sick_for_a_while_is_not_ready_but_alive(bench: Bench) -> None:
    release = bench.release("r1", env={"SICK": str(bench.root / "sick")})
    bench.ensure(release)
    (bench.root / "sick").touch()
    [replica] = bench.deploy.inspect(release).replicas
    assert (replica.alive, replica.ready, replica.restarts) == (True, False, 0)
    assert "/healthz answered 503" in replica.reason


def test_a_crash_loop_is_told_within_seconds_with_its_last_words_masked(bench: Bench) -> None:
    release = bench.release("r1", "--crash", env={"API_TOKEN": "hunter2-hunter2"})
    with pytest.raises(ReleaseUnhealthy) as caught:
        bench.ensure(release)
    assert "exit status 7" in caught.value.message
    assert "token=*** is wrong" in caught.value.message
    assert "hunter2" not in str(caught.value)


def test_a_start_that_fails_once_is_forgiven(bench: Bench) -> None:
    [replica] = bench.ensure(bench.release("r1", "--flaky")).replicas
    assert (replica.ready, replica.restarts) == (True, 0)


def test_one_that_never_becomes_ready_is_told_with_the_reason(bench: Bench) -> None:
    release = bench.release("r1", readiness_timeout=1.0, env={"STARTUP": "60"})
    with pytest.raises(ReleaseUnhealthy, match=r"0 of 1 replicas of r1 were ready after 1 s.*service starts"):
        bench.ensure(release)


def test_a_command_that_does_not_exist(bench: Bench) -> None:
    release = bench.release("r1")
    broken = release.model_copy(update={"process": release.process.model_copy(update={"command": "no-such-program"})})
    with pytest.raises(ReleaseUnhealthy, match=r"exit status 127.*no-such-program"):
        bench.ensure(broken)


def test_a_stubborn_replica_is_killed_after_its_time_with_all_it_started(bench: Bench) -> None:
    address = bench.ensure(bench.release("r1", "--stubborn", stop_timeout=0.5)).replicas[0].address
    httpx.get(f"{address}/child")
    assert len(bench.processes("r1")) == 3
    bench.retire("r1", drain=0.0)
    assert bench.processes("r1") == []


def test_what_a_crashed_replica_started_goes_with_it(bench: Bench) -> None:
    release = bench.release("r1")
    address = bench.ensure(release).replicas[0].address
    httpx.get(f"{address}/child")
    [replica] = bench.replicas("r1")
    replica.kill()
    until(lambda: bench.deploy.inspect(release).ready == 1, "the replica is back")
    assert len(bench.processes("r1")) == 2


def test_retiring_twice_is_retiring_once_and_logs_stay(bench: Bench) -> None:
    bench.ensure(bench.release("r1"), 2)
    bench.retire("r1")
    bench.retire("r1")
    assert bench.processes("r1") == []
    assert not (bench.root / "releases/staging/shop/r1").exists()
    assert "service starts" in (bench.root / "logs/staging/shop/r1/1.log").read_text()


def test_a_killed_supervisor_is_replaced_and_its_replicas_go_on(bench: Bench) -> None:
    release = bench.release("r1")
    bench.ensure(release, 2)
    pids = _pids(bench, "r1")
    bench.supervisor("r1").kill()
    until(lambda: len(bench.processes("r1")) == 2, "the supervisor is gone")
    status = bench.deploy.inspect(release)
    assert (status.ready, [replica.restarts for replica in status.replicas]) == (2, [0, 0])
    until(lambda: len(bench.processes("r1")) == 3, "there is a supervisor again")
    assert _pids(bench, "r1") == pids


def test_a_replica_that_died_unseen_is_started_again_and_counts_as_crashed(bench: Bench) -> None:
    release = bench.release("r1")
    bench.ensure(release, 2)
    bench.supervisor("r1").kill()
    bench.replicas("r1")[0].kill()
    until(lambda: len(bench.replicas("r1")) == 1, "one is gone")
    assert bench.ensure(release, 2).ready == 2
    assert sum(replica.restarts for replica in bench.deploy.inspect(release).replicas) == 1


def test_an_adopted_replica_that_dies_is_started_again(bench: Bench) -> None:
    release = bench.release("r1")
    bench.ensure(release)
    bench.supervisor("r1").kill()
    until(lambda: len(bench.processes("r1")) == 1, "the supervisor is gone")
    bench.deploy.inspect(release)
    until(lambda: len(bench.processes("r1")) == 2, "there is a supervisor again")
    [replica] = bench.replicas("r1")
    replica.kill()
    until(lambda: bench.deploy.inspect(release).ready == 1, "the replica is back")
    assert _pids(bench, "r1") != {replica.pid}


def test_after_a_reboot_everything_is_started_again(bench: Bench) -> None:
    release = bench.release("r1")
    before = bench.ensure(release, 2)
    bench.stop()
    assert bench.target.revive() == ["r1"]
    assert bench.target.revive() in ([], ["r1"])
    after = bench.ensure(release, 2)
    assert [replica.address for replica in after.replicas] == [replica.address for replica in before.replicas]


def test_a_supervisor_that_is_asked_to_end_takes_its_replicas_along(bench: Bench) -> None:
    bench.ensure(bench.release("r1"), 2)
    bench.supervisor("r1").send_signal(signal.SIGTERM)
    until(lambda: not bench.processes("r1"), "all are gone")
    assert bench.ensure(bench.release("r1"), 2).ready == 2


def test_two_releases_never_share_a_port(bench: Bench) -> None:
    one, two = bench.ensure(bench.release("r1"), 3), bench.ensure(bench.release("r2"), 3)
    assert len({replica.address for replica in [*one.replicas, *two.replicas]}) == 6


def test_a_replica_whose_port_was_taken_by_a_stranger_moves(bench: Bench) -> None:
    release = bench.release("r1")
    before = bench.ensure(release).replicas[0].address
    bench.stop()
    other = bench.release("r2")
    spec_port = int(before.rpartition(":")[2])
    stranger = _listen(spec_port)
    try:
        after = bench.ensure(release).replicas[0].address
    finally:
        stranger.close()
    assert after != before
    assert httpx.get(after).json()["release"] == "r1"
    assert other.id not in after


def _listen(port: int):  # type: ignore[no-untyped-def]
    import socket

    made = socket.create_server(("127.0.0.1", port))
    made.listen()
    return made


def test_whose_port_it_is(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    [replica] = bench.replicas("r1")
    port = int(bench.deploy.inspect(bench.release("r1")).replicas[0].address.rpartition(":")[2])
    assert ports.owns(replica.pid, port)
    assert not ports.owns(os.getpid(), port)
    assert not ports.is_free("127.0.0.1", port)


def test_logs_are_kept_small(bench: Bench) -> None:
    bench.target._log_limit = 2000
    release = bench.release("r1")
    noisy = "while true; do echo 0123456789012345678901234567890123456789; sleep 0.005; done & exec python3 service.py"
    bench.ensure(release.model_copy(update={"process": release.process.model_copy(update={"command": noisy})}))
    log = bench.root / "logs/staging/shop/r1/1.log"
    until(lambda: log.with_suffix(".log.1").exists(), "the log was cut", 20)
    assert log.stat().st_size < 200_000


def test_the_artifact_is_unpacked_once(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    folder = bench.root / "releases/staging/shop/r1/app"
    before = folder.stat().st_ino
    bench.ensure(bench.release("r1"), 2)
    assert folder.stat().st_ino == before


def test_preparing_tells_what_is_there(bench: Bench) -> None:
    prepared = bench.deploy.prepare(PrepareInput(place=bench.place, artifact=bench.artifact))
    assert any("Traefik 3" in fact for fact in prepared.facts)
    assert any("artifact app is there" in fact for fact in prepared.facts)


def test_preparing_misses_the_artifact(bench: Bench) -> None:
    missing = ArtifactRef(name="app", digest="sha256:" + "0" * 64)
    with pytest.raises(NotFound, match="is not in the store"):
        bench.deploy.prepare(PrepareInput(place=bench.place, artifact=missing))


def test_a_target_that_is_not_configured(bench: Bench) -> None:
    place = Place(environment="production", service="shop", target="kubernetes")
    with pytest.raises(SettingsError, match="no delivery target is configured here"):
        bench.deploy.ensure(EnsureInput(release=bench.release("r1").model_copy(update={"place": place}), replicas=1))


def test_two_workers_do_not_change_one_release_at_once(bench: Bench) -> None:
    with bench.target._locked(bench.place, "r1"), pytest.raises(Busy):
        bench.ensure(bench.release("r1"))
