"""Classifications become group scores, those become one score of 0..100, and that becomes pass, marginal or fail.

Source: `WeightedSumScorer`, `ScoringHelper` and `ThresholdScoreClassifier` of spinnaker/kayenta. Unsafe as Kayenta has it: a
metric in error is left out, and a group without data counts 100. What a rollout may rely on is pipelines.analysis.strict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from pipelines.analysis.judge.model import Classification

ScoreClass = Literal["Pass", "Marginal", "Fail"]

_COUNTED = ("Pass", "High", "Low", "NodataFailMetric")
_TOO_MANY_WITHOUT_DATA = 50.0
_FULL = 100.0


@dataclass(frozen=True)
class GroupScore:
    """`score`: percent of the group's metrics that pass, 0 without data. `weight`: percent of the whole."""

    name: str
    score: float
    no_data: bool
    weight: float


@dataclass(frozen=True)
class Score:
    """`reason` only where the score was set to 0 because of a critical metric or of missing data."""

    score: float
    groups: tuple[GroupScore, ...] = ()
    reason: str = ""


def score_groups(results: Sequence[Classification], weights: Mapping[str, float] | None = None) -> Score:
    """The score of all metrics that are not muted. `weights`: percent by group.

    Groups without a weight share equally what the others leave of 100, which may be less than nothing. A critical metric that
    does not pass, or half of the metrics without data, is 0.
    """
    counted = [result for result in results if not result.muted]
    groups = _groups(counted, weights or {})
    critical = [result for result in counted if result.critical and result.label != "Pass"]
    if critical:
        return Score(0.0, groups, critical[0].reason or f"the critical metric {critical[0].name} did not pass")
    without_data = sum(result.label == "Nodata" for result in counted)
    if counted and without_data / len(counted) * 100 >= _TOO_MANY_WITHOUT_DATA:
        return Score(0.0, groups, f"{without_data} of {len(counted)} metrics have no data")
    total = sum((_FULL if group.no_data else group.score) * (group.weight / 100) for group in groups)
    return Score(rounded(total), groups)


def classify_score(score: float, pass_score: float, marginal_score: float) -> ScoreClass:
    if score >= pass_score:
        return "Pass"
    return "Marginal" if score >= marginal_score else "Fail"


def rounded(score: float) -> float:
    """To two places, halves away from 0, as the decimal digits show it."""
    return float(Decimal(repr(score)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _groups(results: Sequence[Classification], weights: Mapping[str, float]) -> tuple[GroupScore, ...]:
    labels: dict[str, list[str]] = {}
    for result in results:
        for group in result.groups:
            labels.setdefault(group, []).append(result.label)
    unweighted = [group for group in labels if group not in weights]
    share = (_FULL - sum(weights.values())) / len(unweighted) if unweighted else 0.0
    return tuple(_group(name, found, weights.get(name, share)) for name, found in labels.items())


def _group(name: str, labels: Sequence[str], weight: float) -> GroupScore:
    total = sum(label in _COUNTED for label in labels)
    passed = sum(label == "Pass" for label in labels)
    return GroupScore(name, passed / total * 100 if total else 0.0, total == 0, weight)
