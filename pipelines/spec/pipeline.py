"""Pipeline: the definition that a repository carries in `.switchyard.yml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipelines.spec.base import Duration, Name, SpecModel
from pipelines.spec.stage import Stage


class KubernetesSecret(SpecModel):
    namespace: str = "default"
    name: str
    key: str


class SecretRef(SpecModel):
    """Where a secret is, never what it is. Exactly one of `env`, `file` or `kubernetes`."""

    env: str | None = None
    file: str | None = None
    kubernetes: KubernetesSecret | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> SecretRef:
        if sum(place is not None for place in (self.env, self.file, self.kubernetes)) != 1:
            raise ValueError("a secret reference has exactly one of env, file or kubernetes")
        return self


class Concurrency(SpecModel):
    """Runs with the same group (texts ${repo}, ${branch}, ${pipeline} are filled in) run one at a time."""

    group: str = "${repo}/${branch}/${pipeline}"
    policy: Literal["queue", "cancel-in-progress"] = "queue"


class Triggers(SpecModel):
    """Which events start a run; globs over branch names (for pull requests: the target branch)."""

    push: list[str] = Field(default_factory=lambda: ["**"])
    pull_request: list[str] = Field(default_factory=lambda: ["**"])
    release: bool = True


class Pipeline(SpecModel):
    """A whole definition. `hold` is how long a failed run waits for retry, skip or abort before it closes."""

    version: Literal[1] = 1
    name: Name
    service: Name
    description: str = ""
    on: Triggers = Triggers()
    env: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, SecretRef] = Field(default_factory=dict)
    concurrency: Concurrency | None = None
    hold: Duration = 3600.0
    timeout: Duration = 86400.0
    fail_fast: bool = Field(True, description="a failed stage stops the running siblings")
    stages: dict[Name, Stage] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_resolve(self) -> Pipeline:
        for name, stage in self.stages.items():
            for need in stage.needs:
                if need not in self.stages:
                    raise ValueError(f"stage '{name}' needs '{need}', which does not exist; stages: {', '.join(self.stages)}")
            for secret in [*stage.secrets, *(s for step in stage.steps for s in step.secrets)]:
                if secret not in self.secrets:
                    raise ValueError(f"stage '{name}' uses secret '{secret}', which is not in the pipeline's 'secrets'")
        return self
