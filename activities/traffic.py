"""Traffic: send shares of a place's requests to its releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from activities.base import heartbeat, implements
from activities.clients.delivery import Router, Target, choose
from pipelines.errors import Conflict
from pipelines.messages.deploy import Place, Routed, RouteInput
from pipelines.ports import CURRENT_ROUTE, ROUTE
from pipelines.traefik import Backend


class Traffic:
    """`before` is called with the place and all releases named, before anything changes: counters must be known from when a
    release got its first request."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        routers: Mapping[str, Router],
        before: Callable[[Place, list[str]], None] = lambda place, releases: None,
    ) -> None:
        self._targets = targets
        self._routers = routers
        self._before = before

    @implements(ROUTE)
    def route(self, wanted: RouteInput) -> Routed:
        """Returns when the data plane serves it. Raises ReleaseUnhealthy rather than send traffic to a release without a ready
        replica, Conflict for an outdated revision, Unavailable when the router does not answer or does not follow."""
        heartbeat()
        _check_weights(wanted)
        router = choose(self._routers, wanted.place, "router")
        backends = self._backends(wanted)
        self._before(wanted.place, sorted(backends))
        return router.route(wanted, backends)

    @implements(CURRENT_ROUTE)
    def current(self, place: Place) -> Routed:
        return choose(self._routers, place, "router").current(place)

    def _backends(self, wanted: RouteInput) -> dict[str, Backend]:
        target = choose(self._targets, wanted.place, "delivery target")
        named = {release for release, weight in wanted.weights.items() if weight > 0}
        named |= {wanted.preview} if wanted.preview else set()
        return {release: target.backend(wanted.place, release) for release in sorted(named)}


def _check_weights(wanted: RouteInput) -> None:
    weights = wanted.weights.values()
    if any(weight < 0 for weight in weights) or sum(weights) not in (0, 100):
        raise Conflict(f"weights must be percentages that sum to 100, got {wanted.weights}")
