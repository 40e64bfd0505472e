"""The benchmark's own arithmetic. Here, because the folder of the benchmarks is no part of the tests."""

from __future__ import annotations

import json
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import Figure, Report, differences, number, percentile, summary

times = st.lists(st.floats(0, 1e6), min_size=1, max_size=300)


@pytest.mark.parametrize(("percent", "value"), [(1, 15), (30, 20), (40, 20), (50, 35), (100, 50)])
def test_percentiles_are_of_the_nearest_rank(percent: float, value: float) -> None:
    """The worked example of https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method."""
    assert percentile([50, 15, 40, 20, 35], percent) == value


@given(times, st.floats(0.1, 100))
def test_a_percentile_is_a_measured_value_that_enough_do_not_exceed(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values) - 1e-9
    assert sum(value < found for value in values) <= percent / 100 * len(values)


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_other_percentages_are_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="not in"):
        percentile([1.0], percent)


@pytest.mark.parametrize("statistic", ["median", "p95", "p99", "value"])
def test_nothing_measured_is_an_error_not_a_zero(statistic: str) -> None:
    with pytest.raises(ValueError, match="no values"):
        summary([], statistic)


@given(times)
def test_the_median_is_the_median(values: list[float]) -> None:
    assert summary(values, "median") == statistics.median(values)
    assert summary(values, "p95") == percentile(values, 95)


def test_differences_are_taken_pair_by_pair() -> None:
    """A disturbance of both of a pair does not show; that of the medians would."""
    assert differences([(10, 12), (100, 102), (20, 22)]) == [2, 2, 2]


@pytest.mark.parametrize(
    ("samples", "goal", "at_least", "met"),
    [
        ([1, 2, 3], 2, False, True),
        ([1, 2, 3], 1.9, False, False),
        ([5, 5], 4, True, True),
        ([5, 5], 6, True, False),
        ([9], None, False, None),
    ],
)
def test_a_goal_is_met_or_not(samples: list[float], goal: float | None, at_least: bool, met: bool | None) -> None:
    assert Figure("g", "n", "ms", samples, goal=goal, at_least=at_least).met is met


def test_a_goal_of_the_tail_looks_at_the_tail() -> None:
    samples = [1.0] * 98 + [100.0, 200.0]
    assert Figure("g", "n", "ms", samples, "median", goal=50).met
    assert not Figure("g", "n", "ms", samples, "p99", goal=50).met


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.01234, "0.012"), (1.2345, "1.23"), (12.345, "12.3"), (123.45, "123"), (12345.6, "12346")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def report(*figures: Figure, **failures: str) -> Report:
    return Report("2026-01-02 03:04 UTC", {"cores": "2"}, {"Python": "3"}, {"start": "0.5"}, list(figures), failures)


def test_the_table_says_what_was_missed_and_what_could_not_be_measured() -> None:
    good = Figure("start", "fast", "ms", [10.0, 20.0, 30.0], goal=25, note="How.")
    bad = Figure("start", "slow", "ms", [400.0, 500.0, 600.0], "p95", goal=50, note="How.")
    text = report(good, bad, webhook="RuntimeError: no server").as_markdown()
    assert "| start: fast | 20.0 ms median | 10.0 – 30.0 | 3 | ≤ 25.0 ms | yes |" in text
    assert "| start: slow | 600 ms p95 | 400 – 600 | 3 | ≤ 50.0 ms | **no** |" in text
    assert "- **webhook** could not be measured: RuntimeError: no server" in text
    assert "- start: fast; start: slow. How." in text, "a note that several share comes once"
    assert "cores 2" in text
    assert "- Load average before: start 0.5" in text


def test_the_json_holds_every_sample_and_what_it_comes_to() -> None:
    found = json.loads(json.dumps(report(Figure("g", "n", "ms", [3.00049, 1, 2], goal=5)).as_json()))
    figure = found["figures"][0]
    assert figure["samples"] == [3, 1, 2]
    assert (figure["value"], figure["min"], figure["max"], figure["q1"], figure["n"], figure["met"]) == (2, 1, 3, 1, 3, True)
    assert found["machine"] == {"cores": "2"}
