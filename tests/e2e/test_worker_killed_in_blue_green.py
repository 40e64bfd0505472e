"""SIGKILL of the worker in every state of a blue-green rollout: one atomic switch, whatever dies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.killing import killer
from tests.support.moments import moment
from tests.support.released import serving
from tests.support.shop import ENVIRONMENT, Shop
from tests.support.trail import actions, assert_whole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.component("traefik")]

BLUE_GREEN: dict[str, Any] = {
    "strategy": "blue-green",
    "autoPromotionEnabled": False,
    "prePromotionChecks": [{"name": "answers", "path": "/", "contains": "release"}],
    "postPromotionChecks": [{"name": "still answers", "path": "/"}],
    "scaleDownDelay": "1s",
    "analysis": {
        "interval": "1s",
        "minRequests": 5,
        "background": False,
        "metrics": [{"name": "success-rate", "builtin": "success-rate", "successMin": 0.99}],
    },
}
STARTING = moment("scheduled deploy.ensure: candidate")
BEFORE = [moment("scheduled traffic.route"), moment("scheduled deploy.check"), moment("timer: approval")]
SWITCH = moment("scheduled traffic.route: traffic: 100 %")
AFTER = [
    moment("scheduled traffic.route: traffic: 100 %", 2),
    moment("scheduled measure.judge"),
    moment("timer: keep the old release"),
    moment("scheduled deploy.retire"),
]


def test_blue_green_is_promoted_through_a_kill_in_each_state(shop: Shop) -> None:
    with serving(shop, replicas=1) as release:
        rollout = shop.next_rollout
        with killer(shop.stack) as deadly:
            deadly.at(rollout, STARTING, lambda: release.begin(BLUE_GREEN, 1))
            deadly.through(rollout, BEFORE, release.nobody_is_dead)
            assert set(release.traffic.releases()) == {release.stable}, "the preview got users' traffic"
            deadly.revived()
            deadly.at(rollout, SWITCH, lambda: shop.stack.cli("approve", rollout))
            deadly.through(rollout, AFTER, release.nobody_is_dead)
        view = release.ended("promoted", replicas=1)
    assert [point.weight for point in view.weights] == [100]
    assert_switched_once([seen.release for seen in sorted(release.traffic.answers, key=lambda seen: seen.ended)])
    assert shop.stack.run_view(release.run_id).status == "passed"
    assert actions(shop.stack, f"{ENVIRONMENT}/{shop.name}")["rollout.ended"] == 2
    assert_whole(shop.stack)


def assert_switched_once(releases: list[str]) -> None:
    """All before, then all after; the few requests that were in flight at the switch may overtake each other."""
    first, last = releases[0], releases[-1]
    assert first != last
    switch = releases.index(last)
    assert all(release == last for release in releases[switch + 10 :])


def test_switched_blue_green_is_switched_back_through_kills(shop: Shop) -> None:
    slow = {**BLUE_GREEN, "autoPromotionEnabled": True, "analysis": {**BLUE_GREEN["analysis"], "interval": "60s"}}
    with serving(shop, replicas=1) as release:
        rollout = shop.next_rollout
        with killer(shop.stack) as deadly:
            deadly.at(rollout, moment("timer: before the first measurement"), lambda: release.begin(slow, 1))
            deadly.revived()
            back = moment("scheduled traffic.route: traffic: 0 %", 2)
            deadly.at(rollout, back, lambda: shop.stack.cli("abort", rollout, "--reason", "the wrong day"))
            deadly.through(rollout, [moment("scheduled deploy.retire")], release.nobody_is_dead)
        view = release.ended("aborted", replicas=1)
    assert [point.weight for point in view.weights] == [100, 0]
    assert_whole(shop.stack)
