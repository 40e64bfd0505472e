"""Pipeline: the definition that a repository carries in `.switchyard.yml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.spec.base import Duration, EnvName, Name, SpecModel
from pipelines.spec.complaint import Complaint, refuse
from pipelines.spec.stage import Stage
from pipelines.spec.structure import structure


class KubernetesSecret(SpecModel):
    namespace: str = "default"
    name: str
    key: str


class SecretRef(SpecModel):
    """Where a secret is, never what it is. Exactly one of `env`, `file` or `kubernetes`."""

    env: EnvName | None = None
    file: str | None = None
    kubernetes: KubernetesSecret | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> SecretRef:
        if sum(place is not None for place in (self.env, self.file, self.kubernetes)) != 1:
            message = "a secret reference has exactly one of env, file or kubernetes"
            refuse("SecretRef", [Complaint((), message, "Write for example {env: DEPLOY_TOKEN}")])
        return self


class Concurrency(SpecModel):
    """Runs with the same group (texts ${repo}, ${branch}, ${pipeline} are filled in) run one at a time."""

    group: str = "${repo}/${branch}/${pipeline}"
    policy: Literal["queue", "cancel-in-progress"] = "queue"


VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]


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
    variables: dict[VariableName, str] = Field(
        default_factory=dict, description="filled in for ${var.name} everywhere in the file; the registry's values win"
    )
    env: dict[EnvName, str] = Field(default_factory=dict)
    secrets: dict[EnvName, SecretRef] = Field(default_factory=dict)
    concurrency: Concurrency | None = None
    hold: Duration = 3600.0
    timeout: Duration = Field(86400.0, gt=0)
    fail_fast: bool = Field(True, description="a failed stage stops the running siblings")
    stages: dict[Name, Stage] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> Pipeline:
        """What every reader relies on: names resolve and `needs` has no cycle. The loader checks more."""
        refuse("Pipeline", structure(self))
        return self
