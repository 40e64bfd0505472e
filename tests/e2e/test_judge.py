"""The statistical judge on live traffic: an equal candidate is promoted, a worse one goes back, an unseen one waits."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.messages.runs import RolloutView, RunView
from tests.support.constant_traffic import constant_traffic
from tests.support.live_stack import until
from tests.support.shop import Shop

pytestmark = [pytest.mark.e2e, pytest.mark.component("traefik")]

PLAIN = {"strategy": "rolling", "scaleDownDelay": "1s"}


def _canary(interval: str, limit: int) -> dict[str, Any]:
    """Without a threshold: only the judge can tell."""
    metric = {"name": "errors", "builtin": "error-rate", "inconclusiveLimit": limit}
    analysis = {"interval": interval, "minRequests": 20, "background": False, "metrics": [metric], "judge": {}}
    steps = [{"setWeight": 50}, {"analysis": True}]
    return {"strategy": "canary", "scaleDownDelay": "1s", "steps": steps, "analysis": analysis}


def _measured(view: RolloutView) -> list[tuple[str, str | None, float | None, dict[str, str]]]:
    found = [point.verdict for point in view.verdicts]
    return [(verdict.outcome, verdict.judged, verdict.score, verdict.classifications) for verdict in found]


def test_an_equal_candidate_is_promoted(shop: Shop) -> None:
    shop.ship(PLAIN)
    with constant_traffic(shop.url, rate=30):
        shop.commit(shop.stages(_canary("8s", limit=3)))
        assert shop.stack.result(shop.start()).status == "passed"
    view = shop.ended()
    assert view.result == "promoted"
    assert _measured(view)[-1] == ("pass", "pass", 100.0, {"errors": "Pass"})


def test_a_worse_candidate_goes_back(shop: Shop) -> None:
    stable = shop.ship(PLAIN)
    with constant_traffic(shop.url, rate=30):
        shop.commit(shop.stages(_canary("8s", limit=3)), broken=True)
        assert shop.stack.result(shop.start()).status == "failed"
    view = shop.ended()
    assert (view.result, view.stable_id) == ("rolled-back", stable)
    assert _measured(view)[-1] == ("fail", "fail", 0.0, {"errors": "High"})
    assert "the judge scores 0 of 100, 95 are needed: errors is high" in view.reason


def test_a_candidate_that_nobody_has_seen_waits_for_people(shop: Shop) -> None:
    shop.ship(PLAIN)
    shop.commit(shop.stages(_canary("1s", limit=0)))
    run = shop.start()
    rollout = until(lambda: _rollout(shop.stack.run_view(run)), "the rollout has begun", 60)
    view = until(lambda: _waiting(shop.stack.rollout_view(rollout)), "it waits for people", 60)
    assert _measured(view) == [("inconclusive", "inconclusive", None, {})]
    assert view.weight == 50
    shop.stack.cli("abort", rollout, "--reason", "nobody came")
    assert shop.ended().result == "aborted"
    assert shop.stack.result(run).status == "failed"


def _rollout(view: RunView) -> str:
    return next((stage.rollout_id for stage in view.stages if stage.name == "deploy"), "")


def _waiting(view: RolloutView) -> RolloutView | None:
    return view if view.status == "paused" else None
