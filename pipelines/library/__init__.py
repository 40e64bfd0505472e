"""Pipelines that are shipped, and the registry that maps repositories to them. Reading package data is the only I/O here."""

from __future__ import annotations

from importlib.resources import files

from pipelines.errors import SpecError

REGISTRY = "registry"


def names() -> list[str]:
    """Names of the shipped pipelines."""
    found = [item.name.removesuffix(".yml") for item in files(__name__).iterdir() if item.name.endswith(".yml")]
    return sorted(name for name in found if name != REGISTRY)


def text(name: str) -> str:
    """The text of a shipped pipeline. Raises SpecError for a name that is not one."""
    if name not in names():
        raise SpecError(f"there is no library pipeline '{name}'", f"Use one of {', '.join(names())}")
    return files(__name__).joinpath(f"{name}.yml").read_text("utf-8")


def registry_text() -> str:
    return files(__name__).joinpath(f"{REGISTRY}.yml").read_text("utf-8")
