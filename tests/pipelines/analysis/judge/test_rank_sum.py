"""The rank test against scipy's and against its own definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm, rankdata

from pipelines.analysis.judge import separable
from pipelines.analysis.judge.brent import TOLERANCE
from pipelines.analysis.judge.rank_sum import AllTied, Values, average_ranks, shift_interval, wilcoxon_diff

_SMOOTH = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=25)
_TIED = st.lists(st.integers(-5, 5).map(float), min_size=2, max_size=25)
SAMPLES = st.one_of(_SMOOTH, _TIED).map(np.array)

_HOLLANDER_X = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
_HOLLANDER_Y = np.array([1.15, 0.88, 0.90, 0.74, 1.21])


def _tied(x: Values, y: Values) -> bool:
    return len(np.unique(np.concatenate([x, y]))) == 1


@given(SAMPLES)
def test_ranks_are_scipys(values: Values) -> None:
    ranks, counts = average_ranks(values)
    assert ranks.tolist() == rankdata(values).tolist()
    assert counts.sum() == len(values)


@given(SAMPLES, SAMPLES)
def test_the_p_value_is_scipys(x: Values, y: Values) -> None:
    if _tied(x, y):
        with pytest.raises(AllTied):
            wilcoxon_diff(0.0, 0.0, x, y)
        return
    z = wilcoxon_diff(0.0, 0.0, x, y)
    expected = mannwhitneyu(x, y, alternative="two-sided", method="asymptotic", use_continuity=True).pvalue
    assert min(1.0, 2 * norm.sf(abs(z))) == pytest.approx(expected, rel=1e-9)


def test_the_statistic_of_a_textbook_example() -> None:
    """Hollander and Wolfe (1973), permeability constants, page 69: W is 35, as R's help for wilcox.test has it."""
    z = wilcoxon_diff(0.0, 0.0, _HOLLANDER_X, _HOLLANDER_Y)
    assert z * np.sqrt(10 * 5 * 16 / 12) + 0.5 + 25 == pytest.approx(35)


@given(SAMPLES, SAMPLES, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_larger_shift_never_raises_the_statistic(x: Values, y: Values, one: float, other: float) -> None:
    low, high = sorted((one, other))
    try:
        above, below = (wilcoxon_diff(mu, 0.0, x, y) for mu in (low, high))
    except AllTied:
        return
    if not len(np.unique(np.concatenate([x - low, y]))) == len(np.unique(np.concatenate([x - high, y]))) == len(x) + len(y):
        return
    assert above >= below


@settings(deadline=None)
@given(SAMPLES, SAMPLES, st.sampled_from([0.8, 0.95, 0.98]))
def test_the_interval_lies_between_the_extreme_differences(x: Values, y: Values, confidence: float) -> None:
    try:
        found = shift_interval(x, y, confidence)
    except AllTied:
        return
    lowest, highest = x.min() - y.max(), x.max() - y.min()
    assert lowest <= found.low <= highest
    assert lowest <= found.high <= highest
    assert found.low <= found.high + 2 * TOLERANCE


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=20, unique=True), st.floats(-500, 500))
def test_the_estimate_is_the_median_of_the_differences(values: list[float], shift: float) -> None:
    """The correction for continuity makes the statistic 0 on both sides of the middle one of an odd number."""
    x, y = np.array(values[::2]) + shift, np.array(values[1::2])
    estimate = shift_interval(x, y, 0.95).estimate
    differences = np.sort(np.subtract.outer(x, y).ravel())
    count = len(differences)
    lower, upper = differences[max(0, count // 2 - 1)], differences[min(count - 1, (count + 1) // 2)]
    assert lower - 2 * TOLERANCE <= estimate <= upper + 2 * TOLERANCE


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 100), min_size=6, max_size=25, unique=True),
    st.lists(st.floats(0, 100), min_size=6, max_size=25, unique=True),
)
def test_an_interval_off_zero_is_a_significant_difference(a: list[float], b: list[float]) -> None:
    x, y = np.array(a), np.array(b)
    if len(set(a) | set(b)) < len(a) + len(b):
        return
    found = shift_interval(x, y, 0.95)
    p = mannwhitneyu(x, y, method="asymptotic").pvalue
    if found.low > TOLERANCE or found.high < -TOLERANCE:
        assert p <= 0.05 + 1e-9
    elif found.low < -TOLERANCE and found.high > TOLERANCE:
        assert p >= 0.05 - 1e-9


@settings(deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([(0.8, 0.95), (0.95, 0.98), (0.9, 0.999)]))
def test_more_confidence_is_a_wider_interval(seed: int, levels: tuple[float, float]) -> None:
    random = np.random.default_rng(seed)
    x, y = random.normal(10, 3, 12), random.normal(11, 3, 15)
    narrow, wide = (shift_interval(x, y, level) for level in levels)
    assert wide.low <= narrow.low + TOLERANCE
    assert wide.high >= narrow.high - TOLERANCE


def test_all_tied_has_no_interval() -> None:
    with pytest.raises(AllTied, match="all observations are tied"):
        shift_interval(np.array([3.0]), np.array([1.0]), 0.95)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_value_that_is_not_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        shift_interval(np.array([1.0, bad]), np.array([1.0, 2.0]), 0.95)


@pytest.mark.parametrize(
    ("m", "n", "confidence", "expected"),
    [
        (2, 2, 0.98, False),
        (4, 4, 0.98, False),
        (5, 5, 0.98, True),
        (4, 4, 0.95, True),
        (3, 3, 0.95, False),
        (1, 1000, 0.98, False),
    ],
)
def test_how_many_values_can_tell_anything(m: int, n: int, confidence: float, expected: bool) -> None:
    assert separable(m, n, confidence) is expected
    p = mannwhitneyu(np.arange(m) + 10_000.5, np.arange(n), method="asymptotic").pvalue
    assert bool(p < 1 - confidence) is expected
