"""Releases: prepare a place, have replicas, look at them, watch over them, retire them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from activities.base import heartbeat, implements
from activities.clients.delivery import Router, Target, choose
from pipelines.errors import Conflict, InfrastructureError
from pipelines.messages.common import Nothing
from pipelines.messages.deploy import (
    EnsureInput,
    Place,
    Prepared,
    PrepareInput,
    Release,
    ReleaseStatus,
    RetireInput,
)
from pipelines.ports import ENSURE_RELEASE, INSPECT_RELEASE, PREPARE, RETIRE_RELEASE, WATCH_RELEASE
from pipelines.rollouts.health import PATIENCE, broken

_LOG = logging.getLogger(__name__)


class Deploy:
    """`targets` and `routers` by `Place.target`; `look`: seconds between looks of a watch; `on_look` is called at each one, for
    what else must be noticed all through a rollout (samples of the metrics). What fails there is tried again at the next look."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        routers: Mapping[str, Router],
        look: float = 1.0,
        on_look: Callable[[Place, float], None] = lambda place, watched: None,
    ) -> None:
        self._targets = targets
        self._routers = routers
        self._look = look
        self._on_look = on_look

    @implements(PREPARE)
    def prepare(self, wanted: PrepareInput) -> Prepared:
        """Raises SettingsError without such a target, NotFound without the artifact, Unavailable without a router."""
        router = self._router(wanted.place)
        facts = [*self._target(wanted.place).prepare(wanted), *router.prepare(wanted.place)]
        return Prepared(address=router.address(wanted.place), facts=facts)

    @implements(ENSURE_RELEASE)
    def ensure(self, wanted: EnsureInput) -> ReleaseStatus:
        """Raises ReleaseUnhealthy with the reason and the last log lines when the replicas cannot become ready."""
        heartbeat()
        return self._target(wanted.release.place).ensure(wanted)

    @implements(INSPECT_RELEASE)
    def inspect(self, release: Release) -> ReleaseStatus:
        return self._target(release.place).inspect(release.place, release.id)

    @implements(WATCH_RELEASE)
    async def watch(self, release: Release) -> ReleaseStatus:
        """Returns what it saw when the release broke, or is not there any more. A worker that is shut down hands over."""
        target = self._target(release.place)
        history: list[ReleaseStatus] = []
        started = time.monotonic()
        while True:
            heartbeat()
            status = await asyncio.to_thread(_looked, target, release)
            history = [*history, status][-PATIENCE:] if status else history
            if status and (not status.replicas or broken(history)):
                return status
            await asyncio.to_thread(self._noticed, release.place, time.monotonic() - started)
            await asyncio.sleep(self._look)

    @implements(RETIRE_RELEASE)
    def retire(self, wanted: RetireInput) -> Nothing:
        """Raises Conflict while the router sends the release any traffic."""
        heartbeat()
        routed = self._router(wanted.place).current(wanted.place)
        weight = routed.weights.get(wanted.release_id, 0)
        if weight or routed.preview == wanted.release_id:
            what = f"{weight} % of the traffic" if weight else "the preview's traffic"
            raise Conflict(f"{wanted.release_id} still gets {what} in {wanted.place.key}", "Route the traffic elsewhere first")
        self._target(wanted.place).retire(wanted)
        return Nothing()

    def _target(self, place: Place) -> Target:
        return choose(self._targets, place, "delivery target")

    def _router(self, place: Place) -> Router:
        return choose(self._routers, place, "router")

    def _noticed(self, place: Place, watched: float) -> None:
        try:
            self._on_look(place, watched)
        except InfrastructureError as error:
            _LOG.warning("while watching %s: %s", place.key, error)


def _looked(target: Target, release: Release) -> ReleaseStatus | None:
    """None when the target itself does not answer: that says nothing about the release."""
    try:
        return target.inspect(release.place, release.id)
    except InfrastructureError as error:
        _LOG.warning("%s could not be looked at: %s", release.id, error)
        return None
