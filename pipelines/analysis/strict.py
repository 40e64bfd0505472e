"""The statistical judge as a rollout may rely on it: Kayenta's, closed where Kayenta is open. Pure.

Whatever passes here passes with Kayenta too (its NetflixACAJudge-v1.0, in pipelines.analysis.judge), but not the other way round:

- Kayenta leaves a metric in error out of the score, even a critical one, and gives 100 to a group without data. Here a metric in
  error makes the whole judgement 'error', one without data 'inconclusive', and the score tells of the others only: neither can
  raise it, and groups without evidence lose their weight.
- Kayenta decides from one value on, and passes what a test of so few values could never find. Here both releases must have served
  `minRequests`, and both series must have `minPoints` points with data, and enough of them that a complete separation would show
  at the wanted confidence; fewer are 'inconclusive', in either direction.
- Kayenta passes a metric without data where NaN is replaced by 0. Here a missing point never counts as a point.
- Kayenta searches its interval's ends to 1e-4 in whatever unit the metric has, which is coarse for seconds and rates. Here small
  values are first scaled by a power of two, which changes no ratio.
- Kayenta's group weights may sum to anything. Here negative ones are 0, and the sum is made 100, so that the score is in 0..100.
- A marginal score is 'inconclusive': people decide.

A dry-run metric is classified and decides nothing, as a muted one in Kayenta.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from pipelines.analysis.judge import (
    NEUTRAL_EFFECT,
    Classification,
    EffectSize,
    Label,
    MetricPair,
    MetricRule,
    classified,
    classify_score,
    prepared,
    rounded,
    score_groups,
    separable,
)
from pipelines.measurement import TrackMeasured
from pipelines.spec.analysis import AnalysisSpec, JudgeSpec, MetricSpec

Judged = Literal["pass", "fail", "inconclusive", "error"]

_WORST_FIRST: tuple[Judged, ...] = ("fail", "error", "inconclusive", "pass")
_OF_SCORE: dict[str, Judged] = {"Pass": "pass", "Marginal": "inconclusive", "Fail": "fail"}
_FINE_ENOUGH = 11


class Judgement(NamedTuple):
    """`score` in 0..100, None where no metric could be judged; `classifications` by metric, dry-run ones too."""

    outcome: Judged
    reason: str
    score: float | None = None
    classifications: Mapping[str, str] = MappingProxyType({})


class _Found(NamedTuple):
    """`trouble`: why the metric cannot count in the score, None where it does."""

    metric: MetricSpec
    classification: Classification
    trouble: Literal["error", "inconclusive"] | None = None


def judge_strictly(analysis: AnalysisSpec, judge: JudgeSpec, candidate: TrackMeasured, stable: TrackMeasured | None) -> Judgement:
    """Candidate against stable, by the series that were measured in the same time."""
    if stable is None:
        return Judgement("inconclusive", "there is no stable release to compare with")
    for track, measured in (("candidate", candidate), ("stable release", stable)):
        if measured.requests < analysis.min_requests:
            few = f"only {measured.requests} requests reached the {track}, {analysis.min_requests} are needed"
            return Judgement("inconclusive", few)
    found = [_one(metric, judge, candidate, stable) for metric in analysis.metrics]
    labels = {each.metric.name: each.classification.label for each in found}
    return _together([each for each in found if not each.metric.dry_run], judge)._replace(classifications=labels)


def _one(metric: MetricSpec, judge: JudgeSpec, candidate: TrackMeasured, stable: TrackMeasured) -> _Found:
    rule = _rule(metric, judge)
    sides = [track.series.get(metric.name, []) for track in (candidate, stable)]
    points = [_points(side, rule) for side in sides]
    if min(points) == 0:
        label: Label = "NodataFailMetric" if metric.must_have_data else "Nodata"
        return _Found(metric, Classification(label, f"{metric.name} has no data"), "inconclusive")
    if min(points) < judge.min_points or not separable(points[0], points[1], judge.confidence):
        few = f"{metric.name} has only {points[0]} points of the candidate and {points[1]} of the stable release"
        return _Found(metric, Classification("Nodata", few), "inconclusive")
    scale = _scale(sides)
    experiment, control = ([None if value is None else math.ldexp(value, scale) for value in side] for side in sides)
    result = classified(MetricPair(metric.name, experiment, control), rule)
    return _Found(metric, result, "error" if result.label == "Error" else None)


def _points(side: Sequence[float | None], rule: MetricRule) -> int:
    """Those with data that no outlier rule takes away."""
    with_data = sum(value is not None and not math.isnan(value) for value in side)
    return min(with_data, len(prepared(side, rule)))


def _scale(sides: Sequence[Sequence[float | None]]) -> int:
    """Power of two by which the largest value must be multiplied to be 1024 or more; 0 where it is."""
    largest = max((abs(value) for side in sides for value in side if value is not None and math.isfinite(value)), default=0.0)
    return max(0, _FINE_ENOUGH - math.frexp(largest)[1]) if largest else 0


def _together(deciding: Sequence[_Found], judge: JudgeSpec) -> Judgement:
    """The worst of what the score and each metric in trouble say."""
    scored = _scored([each.classification for each in deciding if each.trouble is None], judge)
    troubles = [Judgement(each.trouble, each.classification.reason) for each in deciding if each.trouble is not None]
    worst = min([scored, *troubles], key=lambda one: _WORST_FIRST.index(one.outcome))
    reasons = [one.reason for one in (scored, *troubles) if one.reason]
    return scored._replace(outcome=worst.outcome, reason="; ".join(reasons))


def _scored(results: Sequence[Classification], judge: JudgeSpec) -> Judgement:
    """The score of the metrics that could be judged, weighted by the groups that have one."""
    scored = score_groups(results, judge.group_weights)
    weights = [max(0.0, group.weight) for group in scored.groups]
    if sum(weights) <= 0:
        return Judgement("inconclusive", "no metric that has a weight could be judged")
    groups = zip(scored.groups, weights, strict=True)
    score = 0.0 if scored.reason else rounded(sum(group.score * weight for group, weight in groups) / sum(weights))
    outcome = _OF_SCORE[classify_score(score, judge.pass_score, judge.marginal_score)]
    words = f"the judge scores {score:g} of 100, {judge.pass_score:g} are needed"
    bad = ", ".join(result.reason for result in results if result.label != "Pass")
    return Judgement("fail" if scored.reason else outcome, f"{words}: {bad}" if bad else words, score)


def _rule(metric: MetricSpec, judge: JudgeSpec) -> MetricRule:
    return MetricRule(
        direction=metric.bad_direction,
        nan_strategy=metric.nan_strategy,
        outliers=metric.outliers,
        outlier_factor=metric.outlier_factor,
        critical=metric.critical,
        must_have_data=metric.must_have_data,
        effect=_effect(metric),
        tolerance=judge.tolerance,
        confidence=judge.confidence,
        groups=(metric.group,),
    )


def _effect(metric: MetricSpec) -> EffectSize:
    none, size = NEUTRAL_EFFECT[metric.effect_measure], metric.effect_size
    return EffectSize(
        measure=metric.effect_measure,
        allowed_increase=metric.allowed_increase or (none + size if size is not None else None),
        allowed_decrease=metric.allowed_decrease or (none - size if size is not None else None),
        critical_increase=metric.critical_increase,
        critical_decrease=metric.critical_decrease,
    )
