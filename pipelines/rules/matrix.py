"""Matrices are small, and every cell has a name and variables of its own."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from pipelines.graph import matrix_variable, value_text
from pipelines.spec import Pipeline, Stage
from pipelines.spec.complaint import Complaint
from pipelines.template import did_you_mean, placeholders

MOST_CELLS = 256
_AXIS = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_AMBIGUOUS = re.compile(r"[\[\],=\n]")


def matrices(pipeline: Pipeline) -> Iterator[Complaint]:
    for name, stage in pipeline.stages.items():
        for complaint in (*_size(stage), *_axes(stage), *_values(stage), *_uses(stage)):
            yield complaint.under(("stages", name))


def _size(stage: Stage) -> Iterator[Complaint]:
    count = math.prod(len(values) for values in stage.matrix.values())
    if count > MOST_CELLS:
        yield Complaint(("matrix",), f"the matrix has {count} cells, more than {MOST_CELLS}", "Remove values or axes", True)


def _axes(stage: Stage) -> Iterator[Complaint]:
    variables: dict[str, str] = {}
    for axis, values in stage.matrix.items():
        if not _AXIS.fullmatch(axis):
            message = f"'{axis}' cannot name an axis: letters, digits, '_' and '-', and no digit at first"
            yield Complaint(("matrix", axis), message, "Rename it", True)
        first = variables.setdefault(matrix_variable(axis), axis)
        if first != axis:
            message = f"the axes '{first}' and '{axis}' would both be the variable {matrix_variable(axis)}"
            yield Complaint(("matrix", axis), message, "Rename one of them", True)
        if not values:
            yield Complaint(("matrix", axis), f"the axis '{axis}' has no values, so the stage would never run", "Add one")


def _values(stage: Stage) -> Iterator[Complaint]:
    for axis, values in stage.matrix.items():
        texts: list[str] = []
        for index, value in enumerate(values):
            text = value_text(value)
            if text in texts:
                yield Complaint(("matrix", axis, index), f"the axis '{axis}' has '{text}' twice", "Remove one of them")
            if _AMBIGUOUS.search(text):
                message = f"'{text}' cannot be in a stage's name: no brackets, commas, equals signs or line breaks"
                yield Complaint(("matrix", axis, index), message, "Use a short name and look the rest up in a step")
            texts.append(text)


def _uses(stage: Stage) -> Iterator[Complaint]:
    """Every ${matrix.x} has its axis."""
    texts: list[tuple[tuple[str | int, ...], object]] = [(("concurrency",), stage.concurrency)]
    texts += [(("caches", index), cache.model_dump()) for index, cache in enumerate(stage.caches)]
    for index, step in enumerate(stage.steps):
        texts += [(("steps", index, word), getattr(step, word)) for word in ("name", "image", "workdir")]
        texts.append((("steps", index, "with"), step.options))
    for path, value in texts:
        for name in _placeholders(value):
            axis = name.removeprefix("matrix.")
            if axis != name and axis not in stage.matrix:
                yield Complaint(
                    path, f"'${{{name}}}' names an axis that the stage's matrix does not have", _axis_remedy(axis, stage)
                )


def _axis_remedy(axis: str, stage: Stage) -> str:
    return did_you_mean(axis, list(stage.matrix)) or f"Add 'matrix: {{{axis}: [...]}}'"


def _placeholders(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from placeholders(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _placeholders(item)
