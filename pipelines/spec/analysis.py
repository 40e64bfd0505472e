"""Analysis: metrics judged during a rollout. The words are those of Argo Rollouts' AnalysisTemplate and of Kayenta."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.spec.base import Duration, RolloutModel

BuiltinMetric = Literal[
    "success-rate", "error-rate", "latency-mean", "latency-p50", "latency-p90", "latency-p95", "latency-p99", "request-rate"
]


class MetricSpec(RolloutModel):
    """One metric. Thresholds compare one measured number (rates in 0..1, latencies in seconds).

    `builtin` is computed by the router's own metrics per release; `query` goes to the Prometheus provider, with
    ${service}, ${environment}, ${release}, ${track} and ${window} filled in.
    """

    name: str
    builtin: BuiltinMetric | None = None
    query: str | None = None
    provider: Literal["proxy", "prometheus"] = "proxy"
    success_min: float | None = None
    success_max: float | None = None
    failure_limit: int = Field(0, ge=0, description="failed measurements tolerated before the analysis fails")
    inconclusive_limit: int = Field(3, ge=0)
    consecutive_error_limit: int = Field(4, ge=0)
    dry_run: bool = False
    direction: Literal["increase", "decrease", "either"] | None = Field(
        None, description="judge: which change is bad; default: the bad one of a built-in metric, either one of a query"
    )
    critical: bool = Field(False, description="judge: failing this metric fails the whole analysis")
    must_have_data: bool = Field(
        True, description="judge: without data it is called NodataFailMetric, else Nodata; neither ever passes"
    )
    group: str = "default"
    nan_strategy: Literal["remove", "replace"] = Field(
        "remove", description="judge: missing points are left out, or are 0; they never count towards minPoints"
    )
    outliers: Literal["keep", "remove"] = "keep"
    outlier_factor: float = Field(3.0, gt=0, description="judge: interquartile ranges from which on a point is an outlier")
    effect_measure: Literal["meanRatio", "cles"] = Field(
        "meanRatio", description="judge: ratio of the means (1 is no effect), or chance to be the larger one (0.5 is no effect)"
    )
    effect_size: float | None = Field(
        None, gt=0, description="judge: change, up or down from no effect, that is tolerated: 0.1 is 10 % of the mean"
    )
    allowed_increase: float | None = Field(None, gt=0, description="judge: effect from which on it is high; by effectSize")
    allowed_decrease: float | None = Field(None, gt=0, description="judge: effect down from which it is low; by effectSize")
    critical_increase: float | None = Field(None, gt=0, description="judge: effect from which on critical fails it all")
    critical_decrease: float | None = Field(None, gt=0, description="judge: effect down from which critical fails it all")

    @property
    def bad_direction(self) -> Literal["increase", "decrease", "either"]:
        """`direction`, or what is bad for the built-in metric."""
        if self.direction is not None:
            return self.direction
        if self.builtin is None or self.builtin == "request-rate":
            return "either"
        return "decrease" if self.builtin == "success-rate" else "increase"


class JudgeSpec(RolloutModel):
    """The statistical judge (Kayenta's NetflixACAJudge-v1.0): scores 0..100 and weights per group (sum 100).

    From `passScore` on it passes, from `marginalScore` on it is inconclusive, below it fails.
    """

    pass_score: float = Field(95.0, ge=0, le=100)
    marginal_score: float = Field(75.0, ge=0, le=100)
    group_weights: dict[str, float] = Field(default_factory=dict)
    confidence: float = Field(0.98, gt=0, lt=1, description="of the interval for the difference between candidate and stable")
    tolerance: float = Field(0.25, ge=0, description="share of that difference by which its interval must be away from 0")
    min_points: int = Field(5, ge=2, description="time-series points each side needs; fewer is inconclusive")


class AnalysisSpec(RolloutModel):
    """Judged every `interval`; `min_requests` is the sample count under which a verdict is inconclusive, never pass."""

    metrics: list[MetricSpec] = Field(min_length=1)
    interval: Duration = 30.0
    initial_delay: Duration = 0.0
    count: int = Field(1, ge=1, description="measurements of one analysis step between weights")
    min_requests: int = Field(20, ge=1, description="requests that the candidate must have served in the window")
    background: bool = Field(True, description="also measured all through the rollout, not only in analysis steps")
    judge: JudgeSpec | None = None
