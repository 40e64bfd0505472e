"""SIGKILL of the worker at events drawn by lot, in a run with a canary that is analysed all the time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.support.killing import killer
from tests.support.moments import moment
from tests.support.released import serving
from tests.support.shop import ENVIRONMENT, Shop
from tests.support.trail import actions, assert_whole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.component("traefik")]

CANARY: dict[str, Any] = {
    "strategy": "canary",
    "scaleDownDelay": "500ms",
    "steps": [{"setWeight": 30}, {"pause": {"duration": "2s"}}, {"analysis": True}, {"setWeight": 70}],
    "analysis": {
        "interval": "1s",
        "minRequests": 3,
        "metrics": [{"name": "success-rate", "builtin": "success-rate", "successMin": 0.99, "inconclusiveLimit": 10}],
    },
}


@pytest.mark.parametrize("seed", [3])
def test_a_release_survives_kills_at_random_events(shop: Shop, seed: int) -> None:
    lot = random.Random(seed)
    in_the_run = sorted(lot.sample(range(2, 60), 2))
    in_the_rollout = sorted(lot.sample(range(2, 90), 3))
    with serving(shop, replicas=1) as release:
        rollout = shop.next_rollout
        with killer(shop.stack) as deadly:
            deadly.strike()
            release.begin(CANARY, 1)
            deadly.through(release.run_id, [moment("", number) for number in in_the_run], release.nobody_is_dead)
            deadly.through(rollout, [moment("", number) for number in in_the_rollout], release.nobody_is_dead)
        view = release.ended("promoted", replicas=1)
    assert [point.weight for point in view.weights] == [30, 70, 100]
    assert shop.stack.result(release.run_id).status == "passed"
    assert [line.split()[0] for line in shop.stack.lines(shop.name)] == ["build", "build"]
    assert actions(shop.stack, release.run_id) == {"run.started": 1, "run.finished": 1}
    rollout_twice = ("rollout.started", "rollout.promoted", "rollout.ended")
    assert actions(shop.stack, f"{ENVIRONMENT}/{shop.name}") == dict.fromkeys(rollout_twice, 2)
    assert_whole(shop.stack)
