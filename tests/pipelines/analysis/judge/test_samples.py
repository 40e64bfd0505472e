"""Missing values, outliers, percentiles, means and effect sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.analysis.judge import MetricRule
from pipelines.analysis.judge.samples import (
    common_language_effect,
    effect_size,
    mean,
    mean_ratio,
    percentile,
    prepared,
    spread,
    without_outliers,
)

_FLOATS = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60)
_SMALL = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=12)


def test_missing_values_are_removed_or_are_zero() -> None:
    values = [1.0, None, math.nan, 2.0]
    assert prepared(values, MetricRule()).tolist() == [1.0, 2.0]
    assert prepared(values, MetricRule(nan_strategy="replace")).tolist() == [1.0, 0.0, 0.0, 2.0]
    assert prepared([], MetricRule(nan_strategy="replace", outliers="remove")).tolist() == []


@given(_FLOATS, st.sampled_from([0.0, 1.0, 25.0, 50.0, 75.0, 99.0, 100.0]))
def test_percentiles_are_those_of_type_7(values: list[float], percent: float) -> None:
    array = np.array(values)
    assert percentile(array, percent) == pytest.approx(np.percentile(array, percent, method="linear"), rel=1e-9, abs=1e-3)


def test_outliers_lie_outside_the_fences_and_the_percentiles() -> None:
    values = np.array([*[10.0] * 60, *[11.0] * 60, 1000.0])
    assert without_outliers(values, 3.0).tolist() == values.tolist()[:-1]
    two = np.array([*[10.0] * 20, *[11.0] * 20, 1000.0])
    assert 1000.0 not in without_outliers(two, 3.0)
    assert without_outliers(np.array([10.0, 11.0, 12.0, 13.0, 14.0]), 3.0).tolist() == [10.0, 11.0, 12.0, 13.0, 14.0]
    assert prepared(two, MetricRule(outliers="keep")).tolist() == two.tolist()
    assert 1000.0 not in prepared(two, MetricRule(outliers="remove"))


@given(_FLOATS, st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_larger_factor_removes_less(values: list[float], one: float, other: float) -> None:
    few, many = sorted((one, other), reverse=True)
    array = np.array(values)
    assert len(without_outliers(array, few)) >= len(without_outliers(array, many))


def test_a_factor_must_be_positive() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        MetricRule(outlier_factor=0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        MetricRule(confidence=1.0)


@given(_FLOATS)
def test_the_mean_is_exact_enough(values: list[float]) -> None:
    assert mean(np.array(values)) == pytest.approx(math.fsum(values) / len(values), rel=1e-12, abs=1e-6)


def test_means_of_nothing_and_of_zeros() -> None:
    assert math.isnan(mean(np.array([])))
    assert math.isnan(mean_ratio(np.array([0.0, 0.0]), np.array([1.0])))
    assert math.isnan(mean_ratio(np.array([1.0]), np.array([1.0, -1.0])))
    assert mean_ratio(np.array([3.0]), np.array([2.0, 2.0])) == 1.5


@given(_SMALL, _SMALL)
def test_the_common_language_effect_counts_pairs(experiment: list[float], control: list[float]) -> None:
    pairs = [(x > y) + 0.5 * (x == y) for x in experiment for y in control]
    found = common_language_effect(np.array(experiment), np.array(control))
    assert found == pytest.approx(sum(pairs) / len(pairs))
    assert effect_size(np.array(experiment), np.array(control), "cles") == found


@given(_SMALL, _SMALL)
def test_swapping_the_sides_mirrors_the_effects(experiment: list[float], control: list[float]) -> None:
    x, y = np.array(experiment), np.array(control)
    assert common_language_effect(x, y) == pytest.approx(1 - common_language_effect(y, x))
    there, back = mean_ratio(x, y), mean_ratio(y, x)
    assert math.isnan(there) is math.isnan(back)
    assert math.isnan(there) or there * back == pytest.approx(1.0)


@given(st.integers(2, 50), st.floats(1e-6, 1e6))
def test_noise_tells_equal_values_apart_and_is_the_same_each_time(count: int, value: float) -> None:
    values = np.full(count, value)
    noisy = spread(values)
    assert len(np.unique(noisy)) == count
    assert noisy.tolist() == spread(values).tolist()
    assert np.abs(noisy - value).max() <= value * 4e-5
    assert spread(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
