"""The built-in metrics of an analysis, from how a release's request counters grew. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipelines.counters import Growth
from pipelines.spec.analysis import BuiltinMetric

_QUANTILES: dict[BuiltinMetric, float] = {
    "latency-p50": 0.50,
    "latency-p90": 0.90,
    "latency-p95": 0.95,
    "latency-p99": 0.99,
}


def value(metric: BuiltinMetric, grown: Growth) -> float | None:
    """Rates in 0..1, latencies in seconds, requests a second; None where no request says anything."""
    if metric == "request-rate":
        seconds = grown.end - grown.start
        return grown.requests / seconds if seconds > 0 else None
    if grown.requests <= 0:
        return None
    if metric == "error-rate":
        return grown.errors / grown.requests
    if metric == "success-rate":
        return 1.0 - grown.errors / grown.requests
    if metric == "latency-mean":
        return grown.seconds / grown.requests
    return quantile(grown.buckets, _QUANTILES[metric])


def quantile(buckets: Mapping[str, float], share: float) -> float | None:
    """The value under which `share` (0..1) of the observations lie. `buckets`: cumulative counts by upper bound, '+Inf' is all.

    As Prometheus' histogram_quantile: linear inside a bucket, the highest finite bound for what lies above it.
    """
    bounds = sorted((math.inf if bound == "+Inf" else float(bound), count) for bound, count in buckets.items())
    total = bounds[-1][1] if bounds else 0.0
    if total <= 0:
        return None
    rank, lower, below = share * total, 0.0, 0.0
    for bound, count in bounds:
        if count >= rank and count > below:
            return lower if math.isinf(bound) else lower + (bound - lower) * (rank - below) / (count - below)
        lower, below = (lower if math.isinf(bound) else bound), max(below, count)
    return lower
