"""Concurrency groups name what is known when they are filled in."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.conditions import GROUP_NAMES, STAGE_GROUP_NAMES
from pipelines.errors import SpecError
from pipelines.spec import Pipeline
from pipelines.spec.complaint import Complaint, Path
from pipelines.template import fill


def groups(pipeline: Pipeline) -> Iterator[Complaint]:
    if pipeline.concurrency:
        yield from _fillable(pipeline.concurrency.group, GROUP_NAMES, ("concurrency", "group"))
    for name, stage in pipeline.stages.items():
        names = (*STAGE_GROUP_NAMES, *(f"matrix.{axis}" for axis in stage.matrix))
        yield from _fillable(stage.concurrency or "", names, ("stages", name, "concurrency"), axes_checked=True)


def _fillable(text: str, names: tuple[str, ...], path: Path, *, axes_checked: bool = False) -> Iterator[Complaint]:
    """Unknown axes of a matrix are the matrix's rule's to tell."""
    if axes_checked and "${matrix." in text:
        return
    try:
        fill(text, dict.fromkeys(names, ""))
    except SpecError as error:
        yield Complaint(path, error.message, error.remedy)
