"""SIGKILL of the Temporal server, of Traefik and of released replicas in the middle of a release."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from tests.support.constant_traffic import constant_traffic
from tests.support.live_stack import until
from tests.support.moments import moment, waiting_for
from tests.support.released import Release, serving
from tests.support.shop import ENVIRONMENT, Shop
from tests.support.trail import actions, assert_whole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.component("traefik")]

CANARY: dict[str, Any] = {"strategy": "canary", "scaleDownDelay": 0, "steps": [{"setWeight": 50}, {"pause": {}}]}


def paused(release: Release, replicas: int) -> str:
    """Start a canary and wait until it asks for approval; gives the rollout's id."""
    rollout = release.shop.next_rollout
    coming = waiting_for(release.shop.stack, rollout, moment("timer: approval"))
    release.begin(CANARY, replicas)
    coming.result(60)
    return rollout


def candidate_of(shop: Shop, rollout: str) -> str:
    return shop.stack.rollout_view(rollout).candidate.id


def test_a_run_goes_on_when_the_temporal_server_was_killed(shop: Shop) -> None:
    """Once under a running step, which ends while no server is there, and once in a paused rollout."""
    stack, latch = shop.stack, shop.stack.outside / f"{shop.name}.go"
    worker = stack.pid("worker")
    stages = shop.stages(CANARY)
    long = f"{shop.note('begins')}; until [ -e {latch} ]; do sleep 0.05; done; {shop.note('ends')}"
    stages["build"]["steps"] = [{"name": "long", "run": long}, {"name": "last", "run": shop.note("last")}]
    with serving(shop, replicas=1) as release:
        rollout = shop.next_rollout
        shop.commit(stages)
        release.run_id = shop.start()
        until(lambda: any("begins" in line for line in shop.stack.lines(shop.name)), "the long step runs")
        stack.kill("temporal")
        latch.touch()
        until(lambda: any("ends" in line for line in shop.stack.lines(shop.name)), "the long step has ended")
        stack.up("temporal")
        waiting_for(stack, rollout, moment("timer: approval")).result(60)
        stack.kill("temporal")
        release.nobody_is_dead()
        stack.up("temporal")
        stack.cli("approve", rollout)
        release.ended("promoted", replicas=1)
    assert stack.result(release.run_id).status == "passed"
    mine = [line.split()[0] for line in shop.stack.lines(shop.name)][1:]
    assert mine == ["begins", "ends", "last"]
    assert stack.pid("worker") == worker, "the worker should outlast its server"
    once = ("run.started", "run.finished")
    assert actions(stack, release.run_id) == dict.fromkeys(once, 1)
    assert_whole(stack)


def test_traefik_comes_back_with_the_weights_it_had(shop: Shop) -> None:
    with serving(shop, replicas=1) as release:
        rollout = paused(release, replicas=1)
        candidate = candidate_of(shop, rollout)
        shop.stack.kill("proxy")
        shop.stack.up("proxy")
        back = time.time()
        until(lambda: len(release.traffic.since(back)) >= 60, "traffic goes on")
        seen = release.traffic.releases(back)
        assert shop.dead_servers() == []
        assert seen[candidate] == pytest.approx(seen.total() / 2, abs=seen.total() / 4)
        shop.stack.cli("approve", rollout)
        view = until(lambda: shop.stack.rollout_view(rollout).result and shop.stack.rollout_view(rollout), "it is over", 60)
        ended = time.time()
        until(lambda: len(release.traffic.since(ended)) >= 25, "traffic goes on")
    assert view.result == "promoted"
    assert set(release.traffic.releases(ended)) == {candidate}
    assert [answer for answer in release.traffic.since(back) if not answer.ok] == []
    assert shop.replicas(release.stable) == []
    assert shop.stack.result(release.run_id).status == "passed"
    assert_whole(shop.stack)


def test_a_candidate_that_is_killed_is_rolled_back(shop: Shop) -> None:
    with serving(shop, replicas=1) as release:
        rollout = paused(release, replicas=1)
        [victim] = shop.replicas(candidate_of(shop, rollout))
        os.kill(victim.pid, signal.SIGKILL)
        view = release.ended("rolled-back", replicas=1)
    assert "the candidate broke" in view.reason
    assert "SIGKILL" in view.reason
    assert [point.weight for point in view.weights] == [50, 0]
    assert shop.stack.result(release.run_id).status == "failed"
    assert actions(shop.stack, f"{ENVIRONMENT}/{shop.name}")["rollout.turned-back"] == 1


def test_a_stable_replica_that_is_killed_comes_back_while_a_canary_goes_on(shop: Shop) -> None:
    with serving(shop, replicas=2) as release:
        rollout = paused(release, replicas=2)
        victim = shop.replicas(release.stable)[0]
        os.kill(victim.pid, signal.SIGKILL)
        until(lambda: victim.pid not in {each.pid for each in shop.replicas(release.stable)}, "the replica is dead")
        until(lambda: len(shop.replicas(release.stable)) == 2, "its supervisor has started it again")
        until(lambda: shop.dead_servers() == [], "it answers")
        assert shop.stack.rollout_view(rollout).status == "paused"
        shop.stack.cli("approve", rollout)
        release.ended("promoted", replicas=2)


def test_everything_comes_back_after_all_was_killed_at_once(shop: Shop) -> None:
    """As after a power cut: servers, worker, the released services and those who watch over them, in a paused canary."""
    with serving(shop, replicas=1) as release:
        rollout = paused(release, replicas=1)
        candidate = candidate_of(shop, rollout)
    for part in ("worker", "proxy", "temporal"):
        shop.stack.kill(part)
    for process in (*shop.stack.leftovers(), *shop.replicas(candidate), *shop.replicas(release.stable)):
        process.kill()
    until(lambda: not shop.replicas(candidate) and not shop.replicas(release.stable), "all is dead")
    shop.stack.up()
    until(lambda: shop.replicas(release.stable), "the stable release runs again", 30)
    until(lambda: shop.dead_servers() == [] == shop.shunned_servers(), "all that is routed answers, and the proxy knows", 30)
    with constant_traffic(shop.url) as release.traffic:
        view = release.ended("rolled-back", replicas=1)
    assert "the candidate broke" in view.reason
    assert_whole(shop.stack)
