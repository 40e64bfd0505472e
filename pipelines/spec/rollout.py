"""Rollout: moving traffic from the stable to the candidate release. Words as in Argo Rollouts where it has them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.spec.analysis import AnalysisSpec
from pipelines.spec.base import Duration, RolloutModel
from pipelines.spec.complaint import Complaint, refuse
from pipelines.spec.gate import ApprovalSpec
from pipelines.spec.release import CheckSpec


class PauseSpec(RolloutModel):
    """`duration` absent: until somebody approves."""

    duration: Duration | None = None


class CanaryStep(RolloutModel):
    """Exactly one of `setWeight` (percent to the candidate), `pause`, or `analysis: true`."""

    set_weight: int | None = Field(None, ge=0, le=100)
    pause: PauseSpec | None = None
    analysis: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> CanaryStep:
        if sum([self.set_weight is not None, self.pause is not None, self.analysis]) != 1:
            message = "a canary step has exactly one of setWeight, pause or analysis"
            refuse("CanaryStep", [Complaint((), message, "Make a step of each")])
        return self


class StrategySpec(RolloutModel):
    """What every strategy has. `deadline` bounds the whole rollout; pauses do not count."""

    deadline: Duration = Field(1800.0, gt=0)
    scale_down_delay: Duration = Field(5.0, description="how long the old release is kept after the switch")
    drain: Duration = Field(2.0, description="longest wait for requests in flight before a release is stopped")
    analysis: AnalysisSpec | None = None
    approval: ApprovalSpec = ApprovalSpec()
    approval_timeout_action: Literal["abort", "promote"] = "abort"
    when_busy: Literal["queue", "supersede"] = Field(
        "queue", description="while another rollout of the service is under way there: wait for it, or end it and take its place"
    )


class CanarySpec(StrategySpec):
    """Weights that rise step by step, with pauses and analyses in between."""

    strategy: Literal["canary"] = "canary"
    steps: list[CanaryStep] = Field(min_length=1)

    @model_validator(mode="after")
    def _weights_rise(self) -> CanarySpec:
        complaints = []
        weights = [step.set_weight for step in self.steps if step.set_weight is not None]
        if weights != sorted(weights):
            complaints.append(
                Complaint(("steps",), f"setWeight must not fall from step to step, got {weights}", "Order the steps")
            )
        if self.analysis is None and any(step.analysis for step in self.steps):
            message = "a step says analysis: true, but the rollout has no 'analysis'"
            complaints.append(Complaint(("steps",), message, "Add 'analysis: {metrics: [...]}'"))
        refuse("CanarySpec", complaints)
        return self


class BlueGreenSpec(StrategySpec):
    """Preview checks, atomic switch, post-promotion analysis, old release kept for `scaleDownDelay`."""

    strategy: Literal["blue-green"] = "blue-green"
    scale_down_delay: Duration = 30.0
    auto_promotion_enabled: bool = True
    auto_promotion_seconds: Duration = 0.0
    preview_replicas: int | None = Field(None, ge=1)
    pre_promotion_checks: list[CheckSpec] = Field(default_factory=list)
    post_promotion_checks: list[CheckSpec] = Field(default_factory=list)
    post_promotion_analysis: bool = True


class RollingSpec(StrategySpec):
    """Replaces replicas `maxSurge` at a time, never fewer than replicas - `maxUnavailable` ready."""

    strategy: Literal["rolling"] = "rolling"
    max_surge: int = Field(1, ge=0)
    max_unavailable: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _moves(self) -> RollingSpec:
        if self.max_surge == 0 and self.max_unavailable == 0:
            message = "maxSurge and maxUnavailable cannot both be 0: no replica could ever be replaced"
            refuse("RollingSpec", [Complaint((), message, "Raise one of them")])
        return self


RolloutSpec = Annotated[CanarySpec | BlueGreenSpec | RollingSpec, Field(discriminator="strategy")]
