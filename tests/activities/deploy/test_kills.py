"""SIGKILL at any instant, of whoever is at work: the next attempt ends in the right state, with nothing left over or doubled."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest

from pipelines.errors import Busy, Unavailable
from tests.support.load import load
from tests.support.releases import Bench, until
from tests.support.traefik import Traefik

_FORK = multiprocessing.get_context("fork")


def _deliver(bench: Bench) -> None:
    """The activities of a whole rollout, one after the other; r1 is stable before, r2 after it."""
    one, two = bench.release("r1"), bench.release("r2")
    bench.ensure(one, 2)
    bench.route({"r1": 100})
    bench.ensure(two, 1)
    bench.route({"r1": 50, "r2": 50})
    bench.ensure(two, 2)
    bench.ensure(one, 1)
    bench.route({"r2": 100})
    bench.retire("r1")


def _worker(root: Path, traefik: Traefik) -> None:
    _deliver(Bench(root, traefik))


def _state(bench: Bench) -> tuple[int, int, int]:
    return len(bench.processes("r1")), len(bench.replicas("r2")), len(bench.processes("r2"))


@pytest.mark.parametrize("seed", range(3))
def test_a_worker_killed_at_any_instant(bench: Bench, seed: int) -> None:
    """Users' requests go on all the time, also while nobody is at work."""
    chance = random.Random(seed)
    _deliver(bench)
    with load(bench.traefik.addresses.of(bench.place), rate=40, most=2000) as seen:
        for _ in range(5):
            worker = _FORK.Process(target=_worker, args=(bench.root, bench.traefik))
            worker.start()
            worker.join(chance.uniform(0.0, 1.6))
            worker.kill()
            worker.join()
        _deliver(bench)
        assert _state(bench) == (0, 2, 3)
        assert bench.deploy.inspect(bench.release("r2")).ready == 2
    assert seen.failures == []
    assert bench.traffic.current(bench.place).weights == {"r2": 100}


def test_supervisors_killed_again_and_again(bench: Bench) -> None:
    chance = random.Random(7)
    release, over = bench.release("r1"), threading.Event()

    def killer() -> None:
        while not over.wait(chance.uniform(0.01, 0.15)):
            for process in bench.processes("r1"):
                _kill_supervisor(process)

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        for replicas in (3, 1, 4, 2):
            bench.ensure(release, replicas)
            assert bench.deploy.inspect(release).ready == replicas
    finally:
        over.set()
        thread.join()
    status = bench.ensure(release, 2)
    assert [replica.restarts for replica in status.replicas] == [0, 0]
    until(lambda: (len(bench.replicas("r1")), len(bench.processes("r1"))) == (2, 3), "two replicas and one supervisor")


def _kill_supervisor(process: psutil.Process) -> None:
    try:
        if "detach" in " ".join(process.cmdline()):
            process.kill()
    except psutil.Error:
        return


def test_many_supervisors_at_once_are_one(bench: Bench) -> None:
    release = bench.release("r1")
    bench.ensure(release, 2)
    pids = {process.pid for process in bench.replicas("r1")}
    folder = bench.target._folder(bench.place, "r1")
    bench.supervisor("r1").kill()
    for _ in range(6):
        folder._launched = float("-inf")
        folder.launch()
    until(lambda: len(bench.processes("r1")) == 3, "one supervisor is left", 20)
    assert {process.pid for process in bench.replicas("r1")} == pids


def test_a_retirement_cut_off_anywhere_is_finished_by_the_next(bench: Bench) -> None:
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
        bench.ensure(bench.release("r1"), 2)
        worker = _FORK.Process(target=bench.retire, args=("r1",))
        worker.start()
        worker.join(delay)
        worker.kill()
        worker.join()
        bench.retire("r1")
        assert bench.processes("r1") == []
        assert not (bench.root / "releases/staging/shop/r1").exists()


def test_a_second_attempt_beside_a_first_that_still_lives(bench: Bench) -> None:
    """As when a worker was cut off from the server, which then hands the activity to another one."""
    release = bench.release("r1", env={"STARTUP": "1"})
    first = _FORK.Process(target=bench.ensure, args=(release, 2))
    first.start()
    until(lambda: bench.replicas("r1"), "it has begun")
    began = time.monotonic()
    while True:
        try:
            assert bench.ensure(release, 2).ready == 2
            break
        except Busy:
            assert time.monotonic() - began < 30
    first.join()
    assert first.exitcode == 0
    assert len(bench.replicas("r1")) == 2


def test_traefik_killed_in_the_middle_of_a_rollout(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.ensure(bench.release("r2"))
    bench.route({"r1": 100})
    bench.traefik.kill()
    worker = _FORK.Process(target=_route_until_it_works, args=(bench,))
    worker.start()
    bench.traefik.start()
    worker.join(30)
    assert worker.exitcode == 0
    address = bench.traefik.addresses.of(bench.place)
    assert {httpx.get(address).json()["release"] for _ in range(10)} == {"r1", "r2"}


def _route_until_it_works(bench: Bench) -> None:
    until(lambda: _routes(bench), "the route is served", 25)


def _routes(bench: Bench) -> bool:
    try:
        return bench.route({"r1": 50, "r2": 50}).weights == {"r1": 50, "r2": 50}
    except Unavailable:
        return False
