"""Measurement: how candidate and stable release do, judged once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from activities.base import implements
from activities.clients.delivery import Router
from activities.clients.metrics import MetricsProvider, ProxyProvider, Scope
from activities.clients.proxy_metrics import ProxyMetrics
from pipelines.errors import InfrastructureError
from pipelines.measurement import Measured, TrackMeasured, step_of
from pipelines.messages.deploy import MeasureInput, Place, Track, Verdict
from pipelines.ports import MEASURE

_LOG = logging.getLogger(__name__)

Assess = Callable[[MeasureInput, Measured], Verdict]


class Measure:
    """`proxy`: the router's counters, which also tell how many requests were served; `providers`: further ones by
    `MetricSpec.provider`; `assess`: judges, without I/O."""

    def __init__(
        self,
        proxy: ProxyMetrics,
        providers: Mapping[str, MetricsProvider],
        routers: Mapping[str, Router],
        assess: Assess,
    ) -> None:
        self._proxy = proxy
        self._counted = ProxyProvider(proxy)
        self._providers = providers
        self._routers = routers
        self._assess = assess

    @implements(MEASURE)
    def measure(self, wanted: MeasureInput) -> Verdict:
        """Raises Unavailable when a provider does not answer, SpecError for a query that it refuses."""
        self._proxy.sample(wanted.place, [release for release in (wanted.candidate, wanted.stable) if release])
        return self._assess(wanted, self.collect(wanted, time.time()))

    def collect(self, wanted: MeasureInput, now: float) -> Measured:
        """The numbers of the window that ends `now` (Unix seconds); series only for the statistical judge."""
        start = min(max(wanted.since, now - wanted.window), now)
        return Measured(
            start=start,
            end=now,
            step=step_of(start, now),
            candidate=self._track(wanted, wanted.candidate, "candidate", start, now),
            stable=self._track(wanted, wanted.stable, "stable", start, now) if wanted.stable else None,
        )

    def before_route(self, place: Place, releases: Sequence[str]) -> None:
        """Where the counters stand when a release is about to get its first request. Traffic is not held up by it."""
        self._quietly(lambda: self._proxy.sample(place, releases), place)

    def on_look(self, place: Place, watched: float) -> None:
        """While a release is watched, for `watched` seconds so far, all that get traffic beside it are sampled."""
        router = self._routers.get(place.target)
        if router is not None:
            releases = sorted(router.current(place).weights)
            self._quietly(lambda: self._proxy.on_look(place, watched, releases), place)

    def _track(self, wanted: MeasureInput, release: str, track: Track, start: float, end: float) -> TrackMeasured:
        scope = Scope(wanted.place, release, track, start, end)
        counted = self._counted.window(scope)
        windows = {"proxy": counted, **{name: provider.window(scope) for name, provider in self._providers.items()}}
        metrics = wanted.analysis.metrics
        judged = metrics if wanted.judge and wanted.analysis.judge else []
        return TrackMeasured(
            release_id=release,
            values={metric.name: windows[metric.provider].number(metric) for metric in metrics},
            series={metric.name: windows[metric.provider].series(metric, step_of(start, end)) for metric in judged},
            requests=counted.requests,
        )

    def _quietly(self, sample: Callable[[], None], place: Place) -> None:
        try:
            sample()
        except InfrastructureError as error:
            _LOG.warning("%s was not sampled: %s", place.key, error)
