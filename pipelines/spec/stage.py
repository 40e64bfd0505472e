"""Stage: a node of the pipeline's DAG."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pipelines.spec.base import Duration, EnvName, Name, SpecModel
from pipelines.spec.complaint import refuse
from pipelines.spec.gate import ApprovalSpec, GateSpec
from pipelines.spec.parts import parts
from pipelines.spec.release import CheckSpec, ReleaseSpec
from pipelines.spec.rollout import RolloutSpec
from pipelines.spec.step import Step


class When(SpecModel):
    """All that is given must hold; globs as in shells, `**` crosses folders. Empty lists match everything."""

    branch: list[str] = Field(default_factory=list)
    event: list[Literal["push", "pull_request", "release", "manual", "schedule"]] = Field(default_factory=list)
    changed: list[str] = Field(default_factory=list)


class RetrySpec(SpecModel):
    """Further attempts by class of error: `infrastructure` by Temporal, `failure` is the step's own no."""

    infrastructure: int = Field(4, ge=0, le=100)
    failure: int = Field(0, ge=0, le=10)


class CacheSpec(SpecModel):
    """A path kept between runs under the hash of the `key` files' content."""

    path: str
    key: list[str] = Field(min_length=1, description="files (globs) whose content decides which cache is taken")


class ArtifactSpec(SpecModel):
    """Paths packed into one archive, addressed by digest. `sbom: python` adds a CycloneDX SBOM."""

    name: Name
    paths: list[str] = Field(min_length=1)
    exclude: list[str] = Field(default_factory=list)
    sbom: Literal["python", "none"] = "none"


class Reports(SpecModel):
    """Files (globs) that the stage's steps leave, parsed when the stage ends, whether it passed or not."""

    junit: list[str] = Field(default_factory=list)
    coverage: list[str] = Field(default_factory=list, description="Cobertura XML, as `coverage xml` writes it")
    sarif: list[str] = Field(default_factory=list)


class Stage(SpecModel):
    """Steps, then (each optional) reports, artifacts, a gate, an approval, a release with its rollout and checks."""

    needs: list[str] = Field(default_factory=list)
    when: When = When()
    matrix: dict[str, list[str | int | float | bool]] = Field(default_factory=dict)
    steps: list[Step] = Field(default_factory=list)
    env: dict[EnvName, str] = Field(default_factory=dict)
    secrets: list[str] = Field(default_factory=list)
    timeout: Duration = Field(1800.0, gt=0, description="of all its steps together")
    retry: RetrySpec = RetrySpec()
    allow_failure: bool = False
    concurrency: str | None = Field(None, description="stages of any run with the same text run one at a time")
    workspace: Literal["shared", "isolated"] | None = Field(
        None, description="default: shared by the run's stages, isolated for the cells of a matrix"
    )
    reuse: bool = Field(True, description="take the result of an equal stage (same tree, steps and inputs) that passed")
    caches: list[CacheSpec] = Field(default_factory=list)
    artifacts: list[ArtifactSpec] = Field(default_factory=list)
    reports: Reports = Reports()
    gate: GateSpec | None = None
    approval: ApprovalSpec | None = None
    environment: Name | None = None
    release: ReleaseSpec | None = None
    rollout: RolloutSpec | None = None
    checks: list[CheckSpec] = Field(default_factory=list, description="run against the environment's address at the end")

    @model_validator(mode="after")
    def _whole(self) -> Stage:
        refuse("Stage", parts(self))
        return self


Cell = dict[str, Any]
"""One combination of a matrix: axis to value."""
