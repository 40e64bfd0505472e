"""The root finder against scipy's, and on the step functions that it is used for."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from pipelines.analysis.judge.brent import TOLERANCE, find_root


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return find_root(function, low, high, function(low), function(high))


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (lambda x: x**3 - 2, 0.0, 2.0),
        (lambda x: math.cos(x) - x, 0.0, 1.0),
        (lambda x: math.exp(-x) - 1e-3, 0.0, 50.0),
        (lambda x: (x - 1) * (1 + (x - 1) ** 2), -1e3, 1e3),
        (lambda x: 2.5 - x, -1e6, 1e6),
    ],
)
def test_smooth_functions(function: Callable[[float], float], low: float, high: float) -> None:
    assert _root(function, low, high) == pytest.approx(brentq(function, low, high), abs=TOLERANCE)


@given(st.floats(-1e4, 1e4), st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_step_is_found(step: float, below: float, above: float) -> None:
    found = _root(lambda x: above if x < step else -below, -1e4 - 1, 1e4 + 1)
    assert found == pytest.approx(step, abs=TOLERANCE)


def test_a_root_at_an_end_needs_no_search() -> None:
    asked: list[float] = []

    def never(x: float) -> float:
        asked.append(x)
        return 1.0

    assert find_root(never, 1.0, 5.0, 0.0, -1.0) == 1.0
    assert find_root(never, 1.0, 5.0, 1.0, -5e-324) == 5.0
    assert asked == []


def test_an_interval_below_the_resolution_is_its_better_end() -> None:
    assert _root(lambda x: 2.0 if x < 1.00002 else -1.0, 1.0, 1.00005) == 1.00005
    assert _root(lambda x: 1.0 if x < 1.00002 else -2.0, 1.0, 1.00005) == 1.0


def test_without_a_change_of_sign_it_ends() -> None:
    found = _root(lambda x: 1.0 + x * x, 0.0, 1.0)
    assert math.isfinite(found)
