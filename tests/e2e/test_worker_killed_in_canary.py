"""SIGKILL of the worker in every state of a canary: it ends as it would have ended, and no user notices."""

from __future__ import annotations

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
    "scaleDownDelay": "1s",
    "steps": [{"setWeight": 20}, {"pause": {}}, {"analysis": True}, {"setWeight": 60}, {"pause": {"duration": "1s"}}],
    "analysis": {
        "interval": "1s",
        "minRequests": 5,
        "background": False,
        "metrics": [{"name": "success-rate", "builtin": "success-rate", "successMin": 0.99}],
    },
}
STARTING, WEIGHT, PAUSED = (
    moment("scheduled deploy.ensure: candidate"),
    moment("scheduled traffic.route"),
    moment("timer: approval"),
)
FURTHER = [
    moment("scheduled measure.judge"),
    moment("scheduled deploy.ensure: candidate .*: 2 ready replicas"),
    moment("scheduled traffic.route: traffic: 60 %"),
    moment("timer: pause of 1 s"),
    moment("scheduled traffic.route: traffic: 100 %"),
    moment("timer: keep the old release"),
    moment("scheduled deploy.retire"),
]


def test_canary_is_promoted_through_a_kill_in_each_state(shop: Shop) -> None:
    with serving(shop, replicas=2) as release:
        rollout = shop.next_rollout
        with killer(shop.stack) as deadly:
            deadly.at(rollout, STARTING, lambda: release.begin(CANARY, 2))
            deadly.through(rollout, [WEIGHT, PAUSED], release.nobody_is_dead)
            deadly.revived()
            shop.stack.cli("approve", rollout)
            deadly.through(rollout, FURTHER, release.nobody_is_dead)
        view = release.ended("promoted", replicas=2)
    assert [point.weight for point in view.weights] == [20, 60, 100]
    assert shop.stack.run_view(release.run_id).status == "passed"
    once = ("rollout.started", "rollout.approved", "rollout.promoted", "rollout.ended")
    first = ("rollout.started", "rollout.promoted", "rollout.ended")
    expected = {action: 1 + (action in first) for action in once}
    assert actions(shop.stack, f"{ENVIRONMENT}/{shop.name}") == expected
    assert_whole(shop.stack)


def test_aborted_canary_goes_back_through_kills(shop: Shop) -> None:
    back = moment("scheduled traffic.route: traffic: 0 %")
    with serving(shop, replicas=2) as release:
        rollout = shop.next_rollout
        with killer(shop.stack) as deadly:
            release.begin(CANARY, 2)
            deadly.at(rollout, PAUSED)
            deadly.revived()
            deadly.at(rollout, back, lambda: shop.stack.cli("abort", rollout, "--reason", "not today"))
            deadly.through(rollout, [moment("scheduled deploy.retire")], release.nobody_is_dead)
        view = release.ended("aborted", replicas=2)
    assert view.reason == "not today"
    assert [point.weight for point in view.weights] == [20, 0]
    assert shop.stack.run_view(release.run_id).status == "failed"
    assert actions(shop.stack, f"{ENVIRONMENT}/{shop.name}")["rollout.turned-back"] == 1
    assert_whole(shop.stack)
