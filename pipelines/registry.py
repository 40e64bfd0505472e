"""The service registry: which shipped pipeline a repository without a file of its own takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from pydantic import Field, ValidationError

from pipelines.errors import SpecError
from pipelines.globs import matches
from pipelines.load import load_pipeline
from pipelines.positions import read
from pipelines.spec import Pipeline, SpecModel
from pipelines.wording import complaints_of


class ServiceEntry(SpecModel):
    """`name` is the pipeline's name in a run's request, so that a repository can have several."""

    repositories: list[str] = Field(min_length=1, description="globs over owner/name")
    pipeline: str = Field(description="file in the library, without .yml")
    name: str = "default"
    variables: dict[str, str] = Field(default_factory=dict)


class Registry(SpecModel):
    """Looked through from the top; the first entry that matches wins."""

    version: Literal[1] = 1
    services: list[ServiceEntry] = Field(default_factory=list)


def load_registry(text: str, file: str) -> Registry:
    """Raises SpecError with file, line and column of everything that is wrong."""
    document = read(text, file)
    if document.problems:
        raise SpecError.of(document.problems)
    try:
        return Registry.model_validate(document.data or {})
    except ValidationError as error:
        complaints = complaints_of(error, document.data, Registry, "the registry")
        problems = [document.problem(each.path, each.message, each.remedy, on_key=each.on_key) for each in complaints]
        raise SpecError.of(problems) from None


def find(repo: str, registry: Registry, name: str = "default") -> ServiceEntry | None:
    """The entry for a repository (owner/name), with the variable `service` filled in."""
    for entry in registry.services:
        if entry.name == name and matches(repo, entry.repositories):
            return entry.model_copy(update={"variables": {"service": service_name(repo), **entry.variables}})
    return None


def registered(repo: str, name: str, registry: Registry, library: Callable[[str], str]) -> tuple[Pipeline, str] | None:
    """The pipeline of a repository and the name of its file; None when nothing is registered.

    `library` gives the text of a library pipeline by its name. Raises SpecError when the entry or the pipeline is wrong.
    """
    entry = find(repo, registry, name)
    if entry is None:
        return None
    file = f"library/{entry.pipeline}.yml"
    return load_pipeline(library(entry.pipeline), file, entry.variables), file


def service_name(repo: str) -> str:
    """The last part of owner/name as a DNS label."""
    label = re.sub(r"[^a-z0-9]+", "-", repo.rsplit("/", 1)[-1].lower()).strip("-")
    return label[:63].strip("-") or "service"
