"""Samples before they are compared: missing values, outliers, and what is told of their size.

Source: `Transforms`, `IQRDetector`, `DescriptiveStatistics` and `EffectSizes` of spinnaker/kayenta, and the definitions of Apache
Commons Math 3 that they stand on (two-pass mean; percentiles of type R-7 as in R. J. Hyndman and Y. Fan, The American
Statistician 50 (1996)).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from pipelines.analysis.judge.model import EffectMeasure, MetricRule
from pipelines.analysis.judge.rank_sum import Values, average_ranks

_NOISE = 1e-5


def prepared(values: Sequence[float | None] | Values, rule: MetricRule) -> Values:
    """Without NaN and None, or with 0 in their place; then without outliers, as the rule says."""
    array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    array = array[~np.isnan(array)] if rule.nan_strategy == "remove" else np.where(np.isnan(array), 0.0, array)
    return without_outliers(array, rule.outlier_factor) if rule.outliers == "remove" else array


def without_outliers(values: Values, factor: float) -> Values:
    """Without what lies more than `factor` interquartile ranges off the quartiles, and outside the 1st and 99th percentile."""
    if len(values) == 0:
        return values
    lower, upper = percentile(values, 25), percentile(values, 75)
    reach = factor * (upper - lower)
    fences = min(percentile(values, 1), lower - reach), max(percentile(values, 99), upper + reach)
    return values[~((values < fences[0]) | (values > fences[1]))]


def percentile(values: Values, percent: float) -> float:
    """Type R-7: linear between the two values next to the place 1 + (n - 1) * percent / 100. `values` is not empty."""
    ordered = np.sort(values)
    place = 1 + (len(ordered) - 1) * (percent / 100)
    below = int(place)
    if below >= len(ordered):
        return float(ordered[-1])
    lower, upper = float(ordered[below - 1]), float(ordered[below])
    return lower + (place - below) * (upper - lower)


def mean(values: Values) -> float:
    """Added up one after the other, then corrected by the mean of the residuals; NaN for no value."""
    if len(values) == 0:
        return float("nan")
    first = float(np.cumsum(values)[-1]) / len(values)
    return first + float(np.cumsum(values - first)[-1]) / len(values)


def mean_ratio(experiment: Values, control: Values) -> float:
    """mean(experiment) / mean(control); NaN where one of them is 0."""
    above, below = mean(experiment), mean(control)
    return float("nan") if above == 0.0 or below == 0.0 else above / below


def common_language_effect(experiment: Values, control: Values) -> float:
    """The chance, 0..1, that a value of the experiment is larger than one of the control; a tie is half of one.

    Source: A. Vargha and H. D. Delaney, A critique and improvement of the CL common language effect size statistics of McGraw and
    Wong, Journal of Educational and Behavioral Statistics 25 (2000).
    """
    m, n = len(experiment), len(control)
    ranks, _ = average_ranks(np.concatenate([experiment, control]))
    return (2 * float(ranks[:m].sum()) - m * (m + 1)) / (2 * n * m)


def effect_size(experiment: Values, control: Values, measure: EffectMeasure) -> float:
    return common_language_effect(experiment, control) if measure == "cles" else mean_ratio(experiment, control)


def spread(values: Values) -> Values:
    """Equal values told apart by noise of a hundred-thousandth of their size, so that ranks exist.

    Kayenta draws the noise; here it is the normal distribution's own quantiles, so that equal questions get equal answers.
    """
    count = len(values)
    noise = [NormalDist().inv_cdf((index + 0.5) / count) for index in range(count)]
    told_apart: Values = values + np.array(noise) * (values[0] * _NOISE)
    return told_apart
