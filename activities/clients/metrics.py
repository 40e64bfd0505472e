"""Where the numbers of an analysis come from: one provider per `MetricSpec.provider`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from activities.clients.prometheus import Prometheus, fill
from activities.clients.proxy_metrics import ProxyMetrics
from pipelines.builtin_metrics import value
from pipelines.counters import growth, in_bins
from pipelines.errors import SpecError
from pipelines.messages.deploy import Place, Track
from pipelines.spec.analysis import BuiltinMetric, MetricSpec


@dataclass(frozen=True)
class Scope:
    """Of which release, and from when to when (Unix seconds)."""

    place: Place
    release: str
    track: Track
    start: float
    end: float


class MetricsWindow(Protocol):
    """What one release did in one window. Methods raise SpecError, SettingsError, Unavailable."""

    def number(self, metric: MetricSpec) -> float | None:
        """The metric over the whole window; None when there is no data."""
        ...

    def series(self, metric: MetricSpec, step: float) -> list[float | None]:
        """The metric in stretches of about `step` seconds, oldest first."""
        ...


class MetricsProvider(Protocol):
    def window(self, scope: Scope) -> MetricsWindow: ...


class ProxyProvider:
    """The router's own counters: real requests, told apart by release."""

    def __init__(self, metrics: ProxyMetrics) -> None:
        self._metrics = metrics

    def window(self, scope: Scope) -> ProxyWindow:
        return ProxyWindow(self._metrics, scope)


class ProxyWindow:
    def __init__(self, metrics: ProxyMetrics, scope: Scope) -> None:
        self._looks = metrics.looks(scope.place, scope.release, scope.start, scope.end)

    @property
    def requests(self) -> int:
        grown = growth(self._looks)
        return round(grown.requests) if grown else 0

    def number(self, metric: MetricSpec) -> float | None:
        grown = growth(self._looks)
        return value(_builtin(metric), grown) if grown else None

    def series(self, metric: MetricSpec, step: float) -> list[float | None]:
        return [value(_builtin(metric), grown) for grown in in_bins(self._looks, step)]


def _builtin(metric: MetricSpec) -> BuiltinMetric:
    if metric.builtin is None:
        raise SpecError(f"metric '{metric.name}' has no 'builtin'", "Queries need 'provider: prometheus'")
    return metric.builtin


class PrometheusProvider:
    """`step`: the fewest seconds between points of a series; a rate over less than two scrapes has no data."""

    def __init__(self, client: Prometheus, step: float = 1.0) -> None:
        self._client = client
        self._step = step

    def window(self, scope: Scope) -> PrometheusWindow:
        return PrometheusWindow(self._client, scope, self._step)


class PrometheusWindow:
    """${window} is the whole window for a number, and the step for a series: each point tells of its own stretch."""

    def __init__(self, client: Prometheus, scope: Scope, shortest: float) -> None:
        self._client = client
        self._scope = scope
        self._shortest = shortest

    def number(self, metric: MetricSpec) -> float | None:
        return self._client.number(self._query(metric, self._scope.end - self._scope.start), self._scope.end)

    def series(self, metric: MetricSpec, step: float) -> list[float | None]:
        step = max(step, self._shortest)
        start = self._scope.start + step
        if start > self._scope.end:
            return []
        return self._client.series(self._query(metric, step), start, self._scope.end, step)

    def _query(self, metric: MetricSpec, seconds: float) -> str:
        if metric.query is None:
            raise SpecError(f"metric '{metric.name}' has no 'query'", "Built-in metrics need 'provider: proxy'")
        place = self._scope.place
        return fill(
            metric.query,
            service=place.service,
            environment=place.environment,
            release=self._scope.release,
            track=self._scope.track,
            window=f"{max(1, round(seconds))}s",
        )
