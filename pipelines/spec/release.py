"""What runs: how a release's processes start and how their health is told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.spec.base import Duration, EnvName, SpecModel


class CheckSpec(SpecModel):
    """An HTTP check on a path of the release, or a command that gets its address as $SWITCHYARD_URL."""

    name: str = "check"
    path: str | None = "/"
    run: str | None = None
    status: int = 200
    contains: str | None = None
    timeout: Duration = 30.0


class ProcessSpec(SpecModel):
    """A long-lived process started inside the unpacked artifact. It must listen on $HOST:$PORT."""

    command: str
    env: dict[EnvName, str] = Field(default_factory=dict)
    readiness_path: str = "/healthz"
    readiness_timeout: Duration = 30.0
    stop_timeout: Duration = Field(10.0, description="from SIGTERM to SIGKILL")


class ReleaseSpec(SpecModel):
    """A release of the run's artifact into an environment."""

    service: str | None = Field(None, description="default: the pipeline's service")
    artifact: str = Field("app", description="name of the artifact, as an earlier stage declared it")
    target: Literal["local", "kubernetes"] = "local"
    replicas: int = Field(1, ge=1, le=100)
    process: ProcessSpec | None = None
