"""The pipeline language: one pydantic model per word of it."""

from pipelines.spec.analysis import AnalysisSpec, JudgeSpec, MetricSpec
from pipelines.spec.base import Duration, SpecModel
from pipelines.spec.gate import Acceptance, ApprovalSpec, GateSpec
from pipelines.spec.pipeline import Concurrency, Pipeline, SecretRef, Triggers
from pipelines.spec.release import CheckSpec, ProcessSpec, ReleaseSpec
from pipelines.spec.rollout import BlueGreenSpec, CanarySpec, CanaryStep, PauseSpec, RollingSpec, RolloutSpec
from pipelines.spec.stage import ArtifactSpec, CacheSpec, Reports, RetrySpec, Stage, When
from pipelines.spec.step import Limits, Step

__all__ = [
    "Acceptance",
    "AnalysisSpec",
    "ApprovalSpec",
    "ArtifactSpec",
    "BlueGreenSpec",
    "CacheSpec",
    "CanarySpec",
    "CanaryStep",
    "CheckSpec",
    "Concurrency",
    "Duration",
    "GateSpec",
    "JudgeSpec",
    "Limits",
    "MetricSpec",
    "PauseSpec",
    "Pipeline",
    "ProcessSpec",
    "ReleaseSpec",
    "Reports",
    "RetrySpec",
    "RollingSpec",
    "RolloutSpec",
    "SecretRef",
    "SpecModel",
    "Stage",
    "Step",
    "Triggers",
    "When",
]
