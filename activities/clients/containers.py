"""Containers of a Docker daemon on this host, by the Docker SDK; its errors are translated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import Ulimit
from requests.exceptions import RequestException

from pipelines.errors import SettingsError, StepFailed, Unavailable

if TYPE_CHECKING:
    from docker.models.containers import Container

_CONFLICT = 409


@dataclass(frozen=True)
class ContainerSpec:
    """`mounts`: host folder, writable at the same path in the container. `env` is kept by the daemon as long as the container is
    there, secrets included. `memory` in bytes; `ulimits` by Docker's names."""

    name: str
    image: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    workdir: str
    user: str
    mounts: tuple[str, ...]
    memory: int | None = None
    processes: int | None = None
    ulimits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ContainerState:
    """`status` is Docker's: created, running, exited..."""

    status: str
    exit_code: int
    out_of_memory: bool


class Containers:
    """All methods block. Raises SettingsError when no daemon answers at first, Unavailable when it fails later."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address
        self._client: docker.DockerClient | None = None

    def find(self, name: str) -> ContainerState | None:
        with _translated():
            found = self._get(name)
            if found is None:
                return None
            state = found.attrs["State"]
            return ContainerState(state["Status"], int(state["ExitCode"]), bool(state.get("OOMKilled")))

    def start(self, spec: ContainerSpec) -> None:
        """Pull the image when it is not here, create, start. Raises StepFailed when the image or program cannot be had."""
        with _translated():
            try:
                self._create(spec).start()
            except NotFound as error:
                reason = f"image {spec.image} cannot be had: {error.explanation}"
                raise StepFailed(reason, "Check its name and the registry login") from None
            except APIError as error:
                if error.is_server_error() and not _cannot_run(error):
                    raise
                raise StepFailed(
                    f"the container could not be started: {error.explanation}", "Check 'image' and 'shell'"
                ) from None

    def output(self, name: str) -> Any:
        """All output from the start on, followed until the container ends: an iterator of bytes with `close`."""
        with _translated():
            return self._there(name).logs(stream=True, follow=True, stdout=True, stderr=True)

    def wait(self, name: str) -> ContainerState:
        """Until it has ended."""
        with _translated():
            self._there(name).wait()
        state = self.find(name)
        if state is None:
            raise Unavailable(f"container {name} was removed by somebody", "The step is run again")
        return state

    def stop(self, name: str, grace: float) -> None:
        """SIGTERM, then SIGKILL after `grace` seconds (whole ones, at least one)."""
        with _translated():
            found = self._get(name)
            if found is not None and found.status == "running":
                found.stop(timeout=max(1, round(grace)))

    def remove(self, name: str) -> None:
        with _translated():
            found = self._get(name)
            if found is not None:
                try:
                    found.remove(force=True, v=True)
                except NotFound:
                    return

    def _create(self, spec: ContainerSpec) -> Container:
        try:
            return self._create_once(spec)
        except ImageNotFound:
            self._docker().images.pull(spec.image)
            return self._create_once(spec)

    def _create_once(self, spec: ContainerSpec) -> Container:
        try:
            return self._docker().containers.create(
                spec.image,
                entrypoint=list(spec.argv[:1]),
                command=list(spec.argv[1:]),
                name=spec.name,
                environment=dict(spec.env),
                working_dir=spec.workdir,
                user=spec.user,
                volumes={path: {"bind": path, "mode": "rw"} for path in spec.mounts},
                mem_limit=spec.memory,
                pids_limit=spec.processes,
                ulimits=[Ulimit(name=name, soft=value, hard=value) for name, value in {"core": 0, **spec.ulimits}.items()],
                labels={"switchyard.step": spec.name},
                security_opt=["no-new-privileges"],
                init=True,
                detach=True,
            )
        except APIError as error:
            if error.status_code != _CONFLICT:
                raise
            return self._there(spec.name)

    def _get(self, name: str) -> Container | None:
        try:
            return self._docker().containers.get(name)
        except NotFound:
            return None

    def _there(self, name: str) -> Container:
        found = self._get(name)
        if found is None:
            raise Unavailable(f"container {name} is gone", "The step is run again")
        return found

    def _docker(self) -> docker.DockerClient:
        if self._client is None:
            try:
                client = docker.DockerClient(base_url=self._address) if self._address else docker.from_env()
                client.ping()
            except (DockerException, RequestException) as error:
                raise SettingsError(
                    "the step names an image, and no Docker daemon answers on this host",
                    "Start Docker (or set DOCKER_HOST) for this worker, or remove 'image' from the step",
                ) from error
            self._client = client
        return self._client


def _cannot_run(error: APIError) -> bool:
    """Docker before 25 answers 500 or 400 when the program is not in the image."""
    return "exec" in str(error.explanation) or "OCI runtime" in str(error.explanation)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise Unavailable("the step's container is gone", "The step is run again") from error
    except (DockerException, RequestException) as error:
        reason = error.explanation if isinstance(error, APIError) else type(error).__name__
        raise Unavailable(f"the Docker daemon failed: {reason}", "See the daemon's own log") from error
