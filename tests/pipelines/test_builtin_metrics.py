"""Built-in metrics from growth, and quantiles from buckets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.builtin_metrics import quantile, value
from pipelines.counters import Growth
from pipelines.measurement import MOST_POINTS, step_of

_GROWN = Growth(
    start=100,
    end=110,
    codes={"200": 90, "404": 5, "500": 4, "503": 1},
    buckets={"0.1": 50, "0.2": 90, "1.0": 100, "+Inf": 100},
    seconds=20,
)


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        ("error-rate", 0.05),
        ("success-rate", 0.95),
        ("request-rate", 10.0),
        ("latency-mean", 0.2),
        ("latency-p50", 0.1),
        ("latency-p90", 0.2),
        ("latency-p95", 0.6),
        ("latency-p99", 0.92),
    ],
)
def test_each_metric(metric: str, wanted: float) -> None:
    assert value(metric, _GROWN) == pytest.approx(wanted)  # type: ignore[arg-type]


def test_without_requests_only_their_rate_is_known() -> None:
    nothing = Growth(start=0, end=10)
    assert value("request-rate", nothing) == 0.0
    for metric in ("error-rate", "success-rate", "latency-mean", "latency-p99"):
        assert value(metric, nothing) is None  # type: ignore[arg-type]


def test_a_window_without_length_has_no_rate() -> None:
    assert value("request-rate", Growth(start=5, end=5, codes={"200": 1})) is None


def test_above_the_highest_bound_it_is_that_bound() -> None:
    assert quantile({"0.1": 0, "0.2": 10, "+Inf": 100}, 0.99) == 0.2


def test_no_buckets_or_nothing_in_them() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({"0.1": 0, "+Inf": 0}, 0.5) is None


@given(st.lists(st.integers(0, 50), min_size=1, max_size=10), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_quantiles_rise_and_stay_within_the_bounds(counts: list[int], one: float, two: float) -> None:
    total, buckets = 0, {}
    for index, count in enumerate(counts, 1):
        total += count
        buckets[f"{index / 10}"] = float(total)
    buckets["+Inf"] = float(total)
    low, high = quantile(buckets, min(one, two)), quantile(buckets, max(one, two))
    if total == 0:
        assert low is None
    else:
        assert low is not None
        assert high is not None
        assert 0 <= low <= high <= len(counts) / 10


@given(st.floats(0, 1e9), st.floats(0, 1e6))
def test_series_have_few_points_at_least_a_second_apart(start: float, length: float) -> None:
    step = step_of(start, start + length)
    assert step >= 1
    assert length / step <= MOST_POINTS + 0.001
