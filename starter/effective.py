"""The settings in effect, flattened, with where each comes from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from pipelines.messages.common import Message
from pipelines.settings import Settings
from starter.client import connect_config

MASK = "********"


class Setting(Message):
    """`value` as text; secrets are masked. `origin` is a variable, a file, Temporal's configuration, or 'default'."""

    name: str
    value: str
    origin: str


def effective(settings: Settings) -> list[Setting]:
    """Every setting, Temporal's connection last. Raises SettingsError when that is wrong."""
    file = Path(os.environ.get("SWITCHYARD_CONFIG", "switchyard.toml"))
    written = tomllib.loads(file.read_text()) if file.exists() else {}
    own = [
        Setting(name=".".join(path), value=_text(value), origin=_origin(path, written, file))
        for path, value in _leaves(settings, ())
    ]
    return [*own, *_temporal(settings)]


def _leaves(model: BaseModel, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return MASK
    return "" if value is None else str(value)


def _origin(path: tuple[str, ...], written: dict[str, Any], file: Path) -> str:
    variable = "SWITCHYARD_" + "__".join(part.upper() for part in path)
    if variable.lower() in {name.lower() for name in os.environ}:
        return variable
    found: Any = written
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return str(file) if found is not None else "default"


def _temporal(settings: Settings) -> list[Setting]:
    config = connect_config(settings)
    named = "Temporal's configuration"
    default = f"127.0.0.1:{settings.ports.temporal}"
    address = str(config["target_host"])
    tls = config.get("tls")
    facts = [
        ("temporal.address", address, "ports.temporal" if address == default else named),
        ("temporal.namespace", config["namespace"], "temporal_namespace or Temporal's configuration"),
        ("temporal.api_key", MASK if config.get("api_key") else "", named if config.get("api_key") else "default"),
        ("temporal.tls", "on" if tls else "off", named if tls is not None else "default"),
    ]
    return [Setting(name=name, value=value, origin=origin) for name, value, origin in facts]
