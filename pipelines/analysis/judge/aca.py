"""All metrics of a canary judged together.

Source: `NetflixACAJudge` (NetflixACAJudge-v1.0) of spinnaker/kayenta.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.analysis.judge.classify import Samples, classify_metric
from pipelines.analysis.judge.model import Classification, MetricRule
from pipelines.analysis.judge.score import GroupScore, ScoreClass, classify_score, score_groups


@dataclass(frozen=True)
class JudgeConfig:
    """`rules` by metric; `group_weights` in percent; the scores are 0..100."""

    rules: Mapping[str, MetricRule]
    group_weights: Mapping[str, float] = field(default_factory=dict)
    pass_score: float = 95.0
    marginal_score: float = 75.0


@dataclass(frozen=True)
class MetricPair:
    """One metric's samples on both sides, in any one unit; None and NaN are missing ones."""

    name: str
    experiment: Samples
    control: Samples


@dataclass(frozen=True)
class Judgement:
    score: float
    classification: ScoreClass
    reason: str
    results: tuple[Classification, ...]
    groups: tuple[GroupScore, ...]


def judge(config: JudgeConfig, metrics: Sequence[MetricPair]) -> Judgement:
    """The verdict on all `metrics`. Raises KeyError for a metric without a rule."""
    results = tuple(classified(pair, config.rules[pair.name]) for pair in metrics)
    scored = score_groups(results, config.group_weights)
    verdict = classify_score(scored.score, config.pass_score, config.marginal_score)
    return Judgement(scored.score, verdict, scored.reason, results, scored.groups)


def classified(pair: MetricPair, rule: MetricRule) -> Classification:
    """A metric that cannot be compared is in error, which is never critical, as Kayenta has it."""
    try:
        return classify_metric(pair.experiment, pair.control, rule, pair.name)
    except ValueError as error:
        reason = f"{pair.name} cannot be judged: {error}"
        return Classification("Error", reason, None, name=pair.name, groups=rule.groups, muted=rule.muted)
