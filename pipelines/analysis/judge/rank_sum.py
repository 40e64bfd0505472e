"""The Mann-Whitney U test (Wilcoxon's rank sum) with a confidence interval for the shift between two samples.

Source: `MannWhitney` of spinnaker/kayenta, which does what R's wilcox.test(conf.int = TRUE, exact = FALSE, correct = TRUE) does:
normal approximation with correction for ties and for continuity, the ends of the interval and the estimate found as roots. See
also D. F. Bauer, Constructing confidence sets using rank statistics, JASA 67 (1972), and M. Hollander and D. A. Wolfe,
Nonparametric Statistical Methods (1973). The exact distribution, which R takes for small samples, is not used there, nor here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.analysis.judge.brent import find_root

Values = NDArray[np.float64]


class Interval(NamedTuple):
    """Of the shift x - y, in the unit of the values; `estimate` is that of Hodges and Lehmann."""

    low: float
    high: float
    estimate: float


class AllTied(ValueError):
    """All observations are equal after the shift, so that no interval can be computed."""


def average_ranks(values: Values) -> tuple[Values, NDArray[np.int64]]:
    """Ranks from 1 on, ties get their mean; and how often each distinct value occurs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Values = (ends - (counts - 1) / 2)[place]
    return ranks, counts


def wilcoxon_diff(mu: float, quantile: float, x: Values, y: Values) -> float:
    """The standardised rank sum of x - `mu` against y, minus `quantile` of the normal distribution. Raises AllTied."""
    m, n = float(len(x)), float(len(y))
    ranks, counts = average_ranks(np.concatenate([x - mu, y]))
    excess = float(ranks[: len(x)].sum()) - m * (m + 1) / 2 - m * n / 2
    ties = float((counts.astype(np.float64) ** 3 - counts).sum())
    variance = (m * n / 12) * ((m + n + 1) - ties / ((m + n) * (m + n - 1)))
    if variance <= 0:
        raise AllTied("cannot compute confidence interval when all observations are tied")
    return float((excess - np.sign(excess) * 0.5) / np.sqrt(variance) - quantile)


def separable(m: int, n: int, confidence: float) -> bool:
    """Whether `m` and `n` values, all of one sample above all of the other, are significant at `confidence` (0..1)."""
    best = (m * n / 2 - 0.5) / sqrt(m * n * (m + n + 1) / 12)
    return best > -NormalDist().inv_cdf((1.0 - confidence) / 2)


def shift_interval(x: Values, y: Values, confidence: float) -> Interval:
    """The interval that holds the shift x - y with `confidence` (0..1), two-sided, and its estimate.

    `x` and `y` are finite and not empty. Raises AllTied, and ValueError for a value that is not finite.
    """
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("a value is not finite")
    lowest, highest = float(x.min() - y.max()), float(x.max() - y.min())
    quantile = NormalDist().inv_cdf((1.0 - confidence) / 2)

    def standardised(wanted: float) -> Callable[[float], float]:
        return lambda mu: wilcoxon_diff(mu, wanted, x, y)

    def end(wanted: float) -> float:
        function = standardised(wanted)
        at_lowest, at_highest = function(lowest), function(highest)
        if at_lowest <= 0:
            return lowest
        return highest if at_highest >= 0 else find_root(function, lowest, highest, at_lowest, at_highest)

    centre = standardised(0.0)
    estimate = find_root(centre, lowest, highest, centre(lowest), centre(highest))
    return Interval(end(-quantile), end(quantile), estimate)
