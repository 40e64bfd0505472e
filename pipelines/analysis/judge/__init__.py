"""The statistical canary judge of Kayenta (NetflixACAJudge-v1.0), written anew from its published sources. Pure.

Source: https://github.com/spinnaker/kayenta at a69573be (2025-04-08), Apache-2.0: kayenta-judge and kayenta-mannwhitney. Only
its random noise for constant samples is different here: samples.spread says what stands in its place.
"""

from __future__ import annotations

from pipelines.analysis.judge.aca import JudgeConfig, Judgement, MetricPair, classified, judge
from pipelines.analysis.judge.classify import classify_by_mean, classify_metric
from pipelines.analysis.judge.model import NEUTRAL_EFFECT, Classification, EffectSize, Label, MetricRule
from pipelines.analysis.judge.rank_sum import separable
from pipelines.analysis.judge.samples import prepared
from pipelines.analysis.judge.score import GroupScore, Score, classify_score, rounded, score_groups

__all__ = [
    "NEUTRAL_EFFECT",
    "Classification",
    "EffectSize",
    "GroupScore",
    "JudgeConfig",
    "Judgement",
    "Label",
    "MetricPair",
    "MetricRule",
    "Score",
    "classified",
    "classify_by_mean",
    "classify_metric",
    "classify_score",
    "judge",
    "prepared",
    "rounded",
    "score_groups",
    "separable",
]
