"""Step: one command or one built-in check inside a stage."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from pipelines.spec.base import Duration, EnvName, SpecModel
from pipelines.spec.complaint import Complaint, refuse


class Limits(SpecModel):
    """Resources of a step's processes; None means no limit beyond the host's."""

    memory_mb: int | None = Field(None, ge=16, description="address space of each process, MiB")
    cpu_seconds: int | None = Field(None, ge=1)
    processes: int | None = Field(None, ge=1)
    open_files: int | None = Field(None, ge=16)
    log_mb: float = Field(16.0, gt=0, description="log size in MiB after which output is dropped and the log says so")


class Step(SpecModel):
    """Exactly one of `run` (a shell command) or `uses` (a built-in check by name, options in `with`)."""

    name: str = ""
    run: str | None = None
    uses: str | None = None
    options: dict[str, Any] = Field(default_factory=dict, alias="with")
    env: dict[EnvName, str] = Field(default_factory=dict)
    secrets: list[str] = Field(default_factory=list, description="names from the pipeline's `secrets` that this step gets")
    image: str | None = Field(None, description="container image to run in; needs Docker on the host")
    workdir: str = "."
    shell: str = "bash"
    timeout: Duration = Field(600.0, gt=0)
    allow_failure: bool = False
    limits: Limits = Limits()

    model_config = SpecModel.model_config | {"populate_by_name": True}

    @model_validator(mode="after")
    def _one_kind(self) -> Step:
        if (self.run is None) == (self.uses is None):
            message = "a step has exactly one of 'run' (a command) or 'uses' (a built-in check)"
            refuse("Step", [Complaint((), message, "Remove one of them" if self.run else "Add 'run: ...' or 'uses: ...'")])
        return self

    @property
    def title(self) -> str:
        """What people see: the name, or the check, or the command's first line."""
        return self.name or self.uses or (self.run or "").strip().splitlines()[0][:60]
