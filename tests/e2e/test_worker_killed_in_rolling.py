"""SIGKILL of the worker in each batch of a rolling update, and on the way back from one that misses its deadline."""

from __future__ import annotations

import pytest

from tests.support.killing import killer
from tests.support.moments import moment, waiting_for
from tests.support.released import serving
from tests.support.shop import Shop
from tests.support.trail import assert_whole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.component("traefik")]

ROLLING = {"strategy": "rolling", "maxSurge": 1, "maxUnavailable": 0, "scaleDownDelay": 0}
STARTING = moment("scheduled deploy.ensure: candidate .*: 1 ready")
SECOND = moment("scheduled deploy.ensure: candidate .*: 2 ready")
BATCHES = [
    moment("scheduled traffic.route"),
    moment("scheduled deploy.ensure: stable .*: 2 ready"),
    SECOND,
    moment("scheduled deploy.ensure: stable .*: 1 ready"),
    moment("scheduled traffic.route: traffic: 100 %"),
    moment("scheduled deploy.retire"),
]


def test_rolling_update_is_finished_through_a_kill_in_each_batch(shop: Shop) -> None:
    with serving(shop, replicas=3) as release:
        rollout = shop.next_rollout
        with killer(shop.stack) as deadly:
            deadly.at(rollout, STARTING, lambda: release.begin(ROLLING, 3))
            deadly.through(rollout, BATCHES, release.nobody_is_dead)
        view = release.ended("promoted", replicas=3)
    weights = [point.weight for point in view.weights]
    assert weights == sorted(weights)
    assert weights[-1] == 100
    assert shop.stack.run_view(release.run_id).status == "passed"
    assert_whole(shop.stack)


def test_rolling_update_that_misses_its_deadline_goes_back_through_kills(shop: Shop) -> None:
    """The first new replica comes up; then the latch is taken away, and the second one never gets ready."""
    latch = shop.stack.outside / f"{shop.name}.latch"
    latch.touch()
    back = [
        moment("scheduled traffic.route: traffic: 0 %"),
        moment("scheduled deploy.ensure: stable .*: 2 ready"),
        moment("scheduled deploy.retire"),
    ]
    with serving(shop, replicas=2) as release:
        rollout = shop.next_rollout
        with killer(shop.stack) as deadly:
            first = waiting_for(shop.stack, rollout, BATCHES[0])
            release.begin({**ROLLING, "deadline": "18s"}, 2, latch=str(latch))
            first.result(60)
            latch.unlink()
            deadly.through(rollout, [SECOND, *back], release.nobody_is_dead)
        view = release.ended("rolled-back", replicas=2)
    assert "the deadline of 18 s passed" in view.reason
    assert view.weights[-1].weight == 0
    assert shop.stack.run_view(release.run_id).status == "failed"
    assert_whole(shop.stack)
