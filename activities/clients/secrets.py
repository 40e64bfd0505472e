"""Secrets are looked up on the host at the moment a step starts, and go nowhere but into its process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from activities.steps.masking import LEAST
from pipelines.errors import Denied, SettingsError
from pipelines.spec import SecretRef
from pipelines.spec.pipeline import KubernetesSecret

_OWN = ("SWITCHYARD_", "TEMPORAL_")
"""The engine's own settings hold its keys: no pipeline may have them."""

ReadKubernetes = Callable[[KubernetesSecret], str]


class SecretResolver:
    """From references to values. `kubernetes` reads a key of a Kubernetes secret; without it such references are refused."""

    def __init__(self, environ: Mapping[str, str] | None = None, kubernetes: ReadKubernetes | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._kubernetes = kubernetes

    def resolve(self, references: Mapping[str, SecretRef]) -> dict[str, str]:
        """By the names that the pipeline gives them. Raises SettingsError or Denied naming the reference, never the value."""
        return {name: self._checked(name, reference) for name, reference in references.items()}

    def _checked(self, name: str, reference: SecretRef) -> str:
        value = self._value(name, reference)
        if "\0" in value:
            raise SettingsError(
                f"secret '{name}' holds a zero byte", "Environment variables cannot; encode it, in base64 for example"
            )
        if len(value.strip()) < LEAST:
            raise SettingsError(
                f"secret '{name}' is empty or shorter than {LEAST} characters, too short to be kept out of logs",
                "Set a longer value, or use 'env' for what is no secret",
            )
        return value

    def _value(self, name: str, reference: SecretRef) -> str:
        if reference.env is not None:
            return self._from_environment(name, reference.env)
        if reference.file is not None:
            return _from_file(name, Path(reference.file))
        assert reference.kubernetes is not None
        if self._kubernetes is None:
            raise SettingsError(
                f"secret '{name}' is in Kubernetes, and no cluster is configured for this worker",
                "Configure the cluster, or refer to an environment variable or a file",
            )
        return self._kubernetes(reference.kubernetes)

    def _from_environment(self, name: str, variable: str) -> str:
        if variable.upper().startswith(_OWN):
            raise Denied(f"secret '{name}' refers to {variable}, which belongs to the engine", "Use a variable of another name")
        value = self._environ.get(variable)
        if value is None:
            raise SettingsError(
                f"secret '{name}' refers to the environment variable {variable}, which is not set on this worker",
                "Set it in the worker's environment and restart the worker",
            )
        return value


def _from_file(name: str, path: Path) -> str:
    """Without the line end that editors add."""
    if not path.is_absolute():
        raise SettingsError(f"secret '{name}' refers to the file '{path}', which is not an absolute path", "Write the whole path")
    try:
        return path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise SettingsError(
            f"secret '{name}' refers to the file {path}, which cannot be read: {error.strerror}",
            "Put the file on the worker's host, readable by the worker",
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(
            f"secret '{name}' refers to the file {path}, which is not UTF-8 text", "Encode it in base64"
        ) from None
