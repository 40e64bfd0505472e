"""Root of a function in an interval by Brent's method, with the tolerances of Kayenta's judge.

Source: R. P. Brent, Algorithms for Minimization without Derivatives (1973), chapter 4, as in Netlib's zeroin and R's uniroot;
tolerance, number of iterations and order of operations follow BrentSolver of spinnaker/kayenta, because the function is a step
function here: where the search stops decides what it finds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

TOLERANCE = 1e-4
_MOST_ITERATIONS = 1001
_EPSILON = 2.220446049250313e-16
_SMALLEST = 5e-324


class _Point(NamedTuple):
    x: float
    y: float


def find_root(function: Callable[[float], float], low: float, high: float, at_low: float, at_high: float) -> float:
    """Where `function` is 0 between `low` and `high`, to about 1e-4 in absolute terms; `at_low`, `at_high`: its values there.

    Without a change of sign, or when the iterations are used up, the last place that was tried.
    """
    before, best = _Point(low, at_low), _Point(high, at_high)
    if _is_zero(at_low):
        return low
    if _is_zero(at_high):
        return high
    opposite = before
    for _ in range(_MOST_ITERATIONS):
        last_step = best.x - before.x
        if abs(opposite.y) < abs(best.y):
            before, best, opposite = best, opposite, best
        resolution = 2 * _EPSILON * abs(best.x) + TOLERANCE / 2
        half = (opposite.x - best.x) / 2
        if abs(half) <= resolution or _is_zero(best.y):
            return best.x
        step = half
        if abs(last_step) >= resolution and abs(before.y) > abs(best.y):
            step = _interpolated(before, best, opposite, last_step, resolution, otherwise=half)
        x = best.x + _at_least(step, resolution)
        before, best = best, _Point(x, function(x))
        if best.y * opposite.y > 0:
            opposite = before
    return best.x


def _interpolated(
    before: _Point, best: _Point, opposite: _Point, last_step: float, resolution: float, *, otherwise: float
) -> float:
    """The step of the secant or of inverse quadratic interpolation, if it stays well inside and shrinks fast enough."""
    across = opposite.x - best.x
    if before.x == opposite.x:
        ratio = best.y / before.y
        p, q = across * ratio, 1.0 - ratio
    else:
        q, t1, t2 = before.y / opposite.y, best.y / opposite.y, best.y / before.y
        p = t2 * (across * q * (q - t1) - (best.x - before.x) * (t1 - 1.0))
        q = (q - 1.0) * (t1 - 1.0) * (t2 - 1.0)
    p, q = (p, -q) if p > 0.0 else (-p, q)
    if p < 0.75 * across * q - abs(resolution * q) / 2 and p < abs(last_step * q / 2):
        return p / q
    return otherwise


def _at_least(step: float, resolution: float) -> float:
    if abs(step) >= resolution:
        return step
    return resolution if step > 0 else -resolution


def _is_zero(value: float) -> bool:
    """Within one unit in the last place of 0."""
    return abs(value) <= _SMALLEST
