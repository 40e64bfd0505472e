"""The rules for one metric: direction, effect size, critical, missing data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.analysis.judge import EffectSize, MetricRule, classify_by_mean, classify_metric

_LOW = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0]
_HIGH = [value * 5 for value in _LOW]
_SAMPLES = st.lists(st.floats(0, 1e4), min_size=5, max_size=25)


@pytest.mark.parametrize(
    ("direction", "higher", "lower"), [("increase", "High", "Pass"), ("decrease", "Pass", "Low"), ("either", "High", "Low")]
)
def test_only_the_bad_direction_counts(direction: str, higher: str, lower: str) -> None:
    rule = MetricRule(direction=direction)  # type: ignore[arg-type]
    assert classify_metric(_HIGH, _LOW, rule).label == higher
    assert classify_metric(_LOW, _HIGH, rule).label == lower
    assert classify_by_mean(_HIGH, _LOW, rule).label == higher
    assert classify_by_mean(_LOW, _HIGH, rule).label == lower


@pytest.mark.parametrize("classify", [classify_metric, classify_by_mean])
@pytest.mark.parametrize(
    ("must_have", "critical", "label", "fails_all"),
    [
        (False, False, "Nodata", False),
        (True, False, "NodataFailMetric", False),
        (False, True, "Nodata", True),
        (True, True, "Nodata", True),
    ],
)
@pytest.mark.parametrize(("experiment", "control"), [([], _LOW), (_LOW, []), ([], []), ([None, math.nan], _LOW)])
def test_without_data(classify, must_have, critical, label, fails_all, experiment, control) -> None:  # type: ignore[no-untyped-def]
    found = classify(experiment, control, MetricRule(must_have_data=must_have, critical=critical), "latency")
    assert (found.label, found.critical) == (label, fails_all)
    assert "latency" in found.reason


@pytest.mark.parametrize("classify", [classify_metric, classify_by_mean])
def test_without_data_where_missing_is_zero(classify) -> None:  # type: ignore[no-untyped-def]
    rule = MetricRule(nan_strategy="replace", must_have_data=True, critical=True)
    assert classify([], _LOW, rule).label == "Pass"
    assert not classify([], _LOW, rule).critical


def test_missing_values_as_zero_are_values() -> None:
    holes: list[float | None] = [None, *_LOW]
    replaced = classify_metric([math.nan] * 8, _LOW, MetricRule(nan_strategy="replace"))
    assert replaced.label == "Low"
    assert classify_metric(holes, _LOW, MetricRule()).reason.startswith("the data of the metric are identical")


def test_identical_data_pass_in_any_order() -> None:
    found = classify_metric(_LOW, _LOW[::-1], MetricRule(critical=True))
    assert (found.label, found.critical, found.deviation) == ("Pass", False, 1.0)
    assert classify_metric([2.0] * 3, [2.0] * 9).label == "Pass"


@settings(deadline=None)
@given(_SAMPLES)
def test_identical_data_always_pass(values: list[float]) -> None:
    assert classify_metric(values, list(reversed(values)), MetricRule(critical=True)).label == "Pass"


@settings(deadline=None)
@given(_SAMPLES, _SAMPLES)
def test_directions_are_parts_of_either(experiment: list[float], control: list[float]) -> None:
    try:
        either, up, down = (
            classify_metric(experiment, control, MetricRule(direction=way)).label for way in ("either", "increase", "decrease")
        )
    except ValueError:
        return
    assert up in ("Pass", "High")
    assert down in ("Pass", "Low")
    assert either == ("High" if up == "High" else down)


@settings(deadline=None)
@given(st.integers(0, 2**31), st.floats(2.0, 20.0))
def test_swapping_the_sides_mirrors_a_clear_difference(seed: int, factor: float) -> None:
    random = np.random.default_rng(seed)
    control = random.uniform(90, 110, 20)
    experiment = random.uniform(90, 110, 20) * factor
    assert classify_metric(experiment, control).label == "High"
    assert classify_metric(control, experiment).label == "Low"


@settings(deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 50), st.floats(0, 50))
def test_worse_data_never_look_better(seed: int, one: float, other: float) -> None:
    random = np.random.default_rng(seed)
    control, experiment = random.normal(100, 10, 20), random.normal(100, 10, 20)
    rule = MetricRule(direction="increase", tolerance=0.0)
    less, more = sorted((one, other))
    if more - less < 0.01:
        return
    if classify_metric(experiment + less, control, rule).label == "High":
        assert classify_metric(experiment + more, control, rule).label == "High"


@pytest.mark.parametrize(("allowed", "label"), [(4.9, "High"), (5.0, "High"), (5.1, "Pass")])
def test_an_increase_is_allowed_below_its_size(allowed: float, label: str) -> None:
    rule = MetricRule(effect=EffectSize(allowed_increase=allowed))
    assert classify_metric(_HIGH, _LOW, rule).label == label


@pytest.mark.parametrize(("allowed", "label"), [(0.21, "Low"), (0.2, "Low"), (0.19, "Pass")])
def test_a_decrease_is_allowed_above_its_size(allowed: float, label: str) -> None:
    rule = MetricRule(effect=EffectSize(allowed_decrease=allowed))
    assert classify_metric(_LOW, _HIGH, rule).label == label


@pytest.mark.parametrize(("limit", "fails_all"), [(4.9, True), (5.1, False)])
def test_a_critical_metric_fails_all_from_its_own_size_on(limit: float, fails_all: bool) -> None:
    up = classify_metric(_HIGH, _LOW, MetricRule(critical=True, effect=EffectSize(critical_increase=limit)))
    assert (up.label, up.critical) == ("High", fails_all)
    down = classify_metric(_LOW, _HIGH, MetricRule(critical=True, effect=EffectSize(critical_decrease=1 / limit)))
    assert (down.label, down.critical) == ("Low", fails_all)


def test_the_common_language_effect_has_its_own_neutral_value() -> None:
    assert classify_metric(_HIGH, _LOW, MetricRule(effect=EffectSize(measure="cles"))).label == "High"
    certain = EffectSize(measure="cles", allowed_increase=1.01)
    assert classify_metric(_HIGH, _LOW, MetricRule(effect=certain)).label == "Pass"


def test_an_effect_that_cannot_be_computed_counts() -> None:
    rule = MetricRule(critical=True, effect=EffectSize(allowed_increase=99.0, critical_increase=99.0))
    found = classify_metric(_LOW, [0.0] * 8, rule)
    assert (found.label, found.critical) == ("High", True)
    assert found.deviation is not None
    assert math.isnan(found.deviation)


def test_two_constants_are_told_apart() -> None:
    assert classify_metric([10.0] * 5, [1.0] * 5).label == "High"
    assert classify_metric([1.0] * 5, [0.0] * 5, MetricRule(direction="increase")).label == "High"
    assert classify_metric([0.0] * 5, [1.0] * 5, MetricRule(direction="increase")).label == "Pass"


def test_more_tolerance_needs_an_interval_further_from_zero() -> None:
    experiment, control = [12.0, 14.0, 16.0, 30.0, 18.0, 40.0], [10.0, 11.0, 12.0, 13.0, 11.5, 10.5]
    assert classify_metric(experiment, control, MetricRule(tolerance=0.0)).label == "High"
    assert classify_metric(experiment, control, MetricRule(tolerance=0.9)).label == "Pass"


def test_the_tolerance_is_the_same_below() -> None:
    experiment, control = [10.0, 11.0, 12.0, 13.0, 11.5, 10.5], [12.0, 14.0, 16.0, 30.0, 18.0, 40.0]
    assert classify_metric(experiment, control, MetricRule(tolerance=0.0)).label == "Low"
    assert classify_metric(experiment, control, MetricRule(tolerance=0.9)).label == "Pass"
    wide = [20.0, 30.0, 40.0, 50.0, 60.0, 70.0]
    assert classify_metric([value - 15 for value in wide], wide, MetricRule(tolerance=1.0)).label == "Pass"


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="tied"):
        classify_metric([3.0], [1.0])
    with pytest.raises(ValueError, match="not finite"):
        classify_metric([1.0, math.inf], [1.0, 2.0])


def test_the_classification_carries_the_rule() -> None:
    found = classify_metric(_HIGH, _LOW, MetricRule(groups=("latency",), muted=True), "p95")
    assert (found.name, found.groups, found.muted, found.reason) == ("p95", ("latency",), True, "p95 is high")


def test_means_of_zero() -> None:
    assert classify_by_mean([1.0], [0.0]).deviation == math.inf
    assert classify_by_mean([-1.0], [0.0]).deviation == -math.inf
    assert classify_by_mean([], [0.0]).deviation == 0.0
