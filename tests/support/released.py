"""A release under constant traffic, and what must hold when its rollout is over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipelines.messages.runs import RolloutView
from tests.support.constant_traffic import Traffic, constant_traffic
from tests.support.live_stack import until
from tests.support.moments import told
from tests.support.shop import Shop

FIRST = {"strategy": "rolling", "scaleDownDelay": 0}
ENOUGH = 25
"""Answers after the end of a rollout that say where the traffic goes."""


@dataclass
class Release:
    """A stable release that serves, and the traffic on it."""

    shop: Shop
    stable: str
    traffic: Traffic
    run_id: str = ""

    def begin(self, rollout: Mapping[str, Any], replicas: int, **traits: Any) -> None:
        """Commit and start a candidate."""
        self.shop.commit(self.shop.stages(rollout, replicas), **traits)
        self.run_id = self.shop.start()

    def nobody_is_dead(self) -> None:
        """The proxy knows no address where nobody answers, and everybody was answered."""
        assert self.shop.dead_servers() == []
        assert self.traffic.failed == []

    def ended(self, result: str, replicas: int) -> RolloutView:
        """The rollout ended like this, with all the traffic on the right release and nothing left of the other."""
        view = self.shop.ended()
        history = told(self.shop.stack, view.workflow_id)
        assert view.result == result, (view, history)
        candidate, stable = view.candidate.id, self.stable
        winner, loser = (candidate, stable) if result == "promoted" else (stable, candidate)
        since = time.time()
        until(lambda: len(self.traffic.since(since)) >= ENOUGH, "traffic goes on")
        assert set(self.traffic.releases(since)) == {winner}
        assert set(self.traffic.releases()) <= {winner, loser}
        wrong = [seen for seen in self.traffic.answers if seen.status >= 500 or not seen.status]
        assert not wrong, wrong
        self.nobody_is_dead()
        assert len(self.shop.replicas(winner)) == replicas
        assert self.shop.replicas(loser) == []
        self.shop.stack.result(self.run_id)
        return view


@contextmanager
def serving(shop: Shop, replicas: int) -> Iterator[Release]:
    """A first release with traffic on it."""
    stable = shop.ship(FIRST, replicas)
    with constant_traffic(shop.url) as traffic:
        yield Release(shop, stable, traffic)
