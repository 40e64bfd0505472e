"""Paths stay inside of the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from pipelines.spec import Pipeline, Stage
from pipelines.spec.complaint import Complaint, Path


def places(pipeline: Pipeline) -> Iterator[Complaint]:
    for name, stage in pipeline.stages.items():
        for path, text in _paths(stage):
            if not _inside(text):
                message = f"'{text}' is not a path inside of the workspace"
                yield Complaint(("stages", name, *path), message, "Write it relative to the repository's root, without '..'")


def _inside(text: str) -> bool:
    path = PurePosixPath(text)
    return bool(text) and not path.is_absolute() and ".." not in path.parts and not text.startswith("~")


def _paths(stage: Stage) -> Iterator[tuple[Path, str]]:
    for index, step in enumerate(stage.steps):
        yield ("steps", index, "workdir"), step.workdir
    for index, cache in enumerate(stage.caches):
        yield ("caches", index, "path"), cache.path
        yield from _each(("caches", index, "key"), cache.key)
    for index, artifact in enumerate(stage.artifacts):
        yield from _each(("artifacts", index, "paths"), artifact.paths)
    for word in ("junit", "coverage", "sarif"):
        yield from _each(("reports", word), getattr(stage.reports, word))


def _each(path: Path, texts: list[str]) -> Iterator[tuple[Path, str]]:
    for index, text in enumerate(texts):
        yield (*path, index), text
