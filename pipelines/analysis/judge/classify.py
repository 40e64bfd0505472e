"""One metric: is the experiment (candidate) higher or lower than the control (stable release), or does it pass?

Source: `MannWhitneyClassifier`, `MeanInequalityClassifier` and `NetflixACAJudge.classifyMetric` of spinnaker/kayenta. The rules
are Kayenta's, unsafe ones among them: a few values decide, missing data replaced by 0 passes. What a rollout may rely on is
pipelines.analysis.strict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from pipelines.analysis.judge.model import Classification, Label, MetricRule
from pipelines.analysis.judge.rank_sum import Interval, Values, shift_interval
from pipelines.analysis.judge.samples import effect_size, mean, mean_ratio, prepared, spread

Samples = Sequence[float | None] | Values

_BAD: dict[str, tuple[Literal["High", "Low"], ...]] = {"increase": ("High",), "decrease": ("Low",), "either": ("High", "Low")}


def classify_metric(experiment: Samples, control: Samples, rule: MetricRule | None = None, name: str = "") -> Classification:
    """Compared by the Mann-Whitney U test. Values in any one unit; None and NaN are missing ones.

    Higher means: the whole confidence interval of the shift lies above `tolerance` times the estimated shift, in a direction that
    is bad, and the effect is not smaller than allowed; lower is its mirror image. An effect whose size is unknown counts.
    Raises ValueError where Kayenta's classifier throws: no interval can be computed, or a value is infinite.
    """
    rule = rule or MetricRule()
    x, y = prepared(experiment, rule), prepared(control, rule)
    return _named(_without_test(x, y, rule, name) or _by_ranks(x, y, rule, name), rule, name)


def classify_by_mean(experiment: Samples, control: Samples, rule: MetricRule | None = None, name: str = "") -> Classification:
    """Compared by the means alone: any difference counts. Kayenta's yardstick for its other classifiers."""
    rule = rule or MetricRule()
    x, y = prepared(experiment, rule), prepared(control, rule)
    if (missing := _missing(x, y, rule, name)) is not None:
        return _named(replace(missing, deviation=0.0) if missing.label == "Nodata" else missing, rule, name)
    above, below = mean(x), mean(y)
    label: Label = "High" if above > below else "Low" if above < below else "Pass"
    if label not in _BAD[rule.direction]:
        return _named(Classification("Pass"), rule, name)
    ratio = above / below if below else math.copysign(math.inf, above)
    reason = f"the mean of {name or 'the metric'} is {'greater' if label == 'High' else 'less'} than the control's"
    return _named(Classification(label, reason, ratio, rule.critical), rule, name)


def _named(found: Classification, rule: MetricRule, name: str) -> Classification:
    return replace(found, name=name, groups=rule.groups, muted=rule.muted)


def _without_test(x: Values, y: Values, rule: MetricRule, name: str) -> Classification | None:
    """What is clear without a test: no data, or the same data."""
    if (missing := _missing(x, y, rule, name)) is not None:
        return missing
    if np.array_equal(np.sort(x), np.sort(y)):
        return Classification("Pass", f"the data of {name or 'the metric'} are identical on both sides")
    if len(np.unique(np.concatenate([x, y]))) == 1:
        return Classification("Pass")
    return None


def _missing(x: Values, y: Values, rule: MetricRule, name: str) -> Classification | None:
    if len(x) and len(y):
        return None
    if rule.nan_strategy == "replace":
        return Classification("Pass")
    reason = f"no data for {name or 'the metric'}"
    if rule.must_have_data and not rule.critical:
        return Classification("NodataFailMetric", reason)
    return Classification("Nodata", reason, critical=rule.critical)


def _by_ranks(x: Values, y: Values, rule: MetricRule, name: str) -> Classification:
    if len(np.unique(x)) == 1 and len(np.unique(y)) == 1:
        x, y = spread(x), spread(y)
    interval = shift_interval(x, y, rule.confidence)
    size = effect_size(x, y, rule.effect.measure)
    label = _label(interval, size, rule)
    if label == "Pass":
        return Classification("Pass", deviation=mean_ratio(x, y))
    critical = rule.critical and _large(label, size, rule, critical=True)
    reason = f"{name or 'the metric'} is {label.lower()}{' (critical)' * critical}"
    return Classification(label, reason, mean_ratio(x, y), critical)


def _label(interval: Interval, size: float, rule: MetricRule) -> Label:
    margin = rule.tolerance * abs(interval.estimate)
    bad = _BAD[rule.direction]
    if "High" in bad and interval.low > margin and _large("High", size, rule):
        return "High"
    if "Low" in bad and interval.high < -margin and _large("Low", size, rule):
        return "Low"
    return "Pass"


def _large(label: Label, size: float, rule: MetricRule, *, critical: bool = False) -> bool:
    """Whether the effect is larger than allowed; one that cannot be computed (NaN) is allowed by nobody."""
    allows = rule.effect.allows_increase if label == "High" else rule.effect.allows_decrease
    return not allows(size, critical)
