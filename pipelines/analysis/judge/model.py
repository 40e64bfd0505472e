"""What the judge is asked and what it answers. The words are Kayenta's, so that its documentation applies.

Source: `CanaryConfig`, `CanaryMetricConfig`, `CanaryAnalysisResult` and `NetflixACAJudge.classifyMetric` of spinnaker/kayenta.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Label = Literal["Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"]
Direction = Literal["increase", "decrease", "either"]
EffectMeasure = Literal["meanRatio", "cles"]

NEUTRAL_EFFECT: Mapping[EffectMeasure, float] = {"meanRatio": 1.0, "cles": 0.5}
"""What each measure of an effect's size is where there is none."""


@dataclass(frozen=True)
class EffectSize:
    """How large a change must be, on top of being significant, before it counts.

    `measure` 'meanRatio' is mean(experiment) / mean(control), 'cles' the chance that a value of the experiment is the larger one.
    A change is High from `allowed_increase` on and Low down from `allowed_decrease`; in a critical metric it fails the whole
    analysis from `critical_increase` on or down from `critical_decrease`. None is the measure's neutral value: any size counts.
    """

    measure: EffectMeasure = "meanRatio"
    allowed_increase: float | None = None
    allowed_decrease: float | None = None
    critical_increase: float | None = None
    critical_decrease: float | None = None

    def allows_increase(self, size: float, critical: bool = False) -> bool:
        limit = self.critical_increase if critical else self.allowed_increase
        return size < self._or_neutral(limit)

    def allows_decrease(self, size: float, critical: bool = False) -> bool:
        limit = self.critical_decrease if critical else self.allowed_decrease
        return size > self._or_neutral(limit)

    def _or_neutral(self, limit: float | None) -> float:
        return NEUTRAL_EFFECT[self.measure] if limit is None else limit


@dataclass(frozen=True)
class MetricRule:
    """How one metric is judged; the defaults are those of NetflixACAJudge-v1.0.

    `direction`: which change is bad. `nan_strategy`: missing values are left out, or are 0. `outliers`: kept, or removed by
    `outlier_factor` interquartile ranges. `critical`: a bad change fails the whole analysis. `must_have_data`: without data the
    metric counts as failed. `muted`: judged, but left out of the score. `tolerance`: the share of the estimated difference that
    its confidence interval must be away from 0. `confidence`: of that interval, in 0..1. Raises ValueError.
    """

    direction: Direction = "either"
    nan_strategy: Literal["remove", "replace"] = "remove"
    outliers: Literal["keep", "remove"] = "keep"
    outlier_factor: float = 3.0
    critical: bool = False
    must_have_data: bool = False
    muted: bool = False
    effect: EffectSize = field(default_factory=EffectSize)
    tolerance: float = 0.25
    confidence: float = 0.98
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.outlier_factor <= 0:
            raise ValueError(f"the outlier factor must be greater than 0, got {self.outlier_factor:g}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"the confidence must be between 0 and 1, got {self.confidence:g}")


@dataclass(frozen=True)
class Classification:
    """The judge's word on one metric. `deviation`: ratio of the means, NaN where one of them is 0, None after an error.

    `critical`: whether this fails the whole analysis; the judge has already looked at the size of the change.
    """

    label: Label
    reason: str = ""
    deviation: float | None = 1.0
    critical: bool = False
    name: str = ""
    groups: tuple[str, ...] = ()
    muted: bool = False
