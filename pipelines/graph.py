"""The DAG of a run: stages become instances, and instances become ready.

A need is satisfied when what is needed has passed, was allowed to fail, or was skipped. So a check that is only made for some
paths (`when: changed`) does not hold up what comes after it, as with GitLab's optional needs. A stage all of whose needs were
skipped by condition is skipped with them (`pipelines.conditions.skip_reasons`), as with GitHub: what follows a deployment does
not happen where nothing was deployed. Need of a stage with a matrix is need of all its cells.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeVar

from pipelines import dag
from pipelines.spec import Pipeline, SpecModel, Stage
from pipelines.spec.stage import Cell
from pipelines.template import fill_all

M = TypeVar("M", bound=SpecModel)

SATISFIED = ("passed", "skipped")
"""Verdicts that let dependants start. The caller gives 'passed' for a failed stage that is allowed to fail."""


@dataclass(frozen=True)
class Instance:
    """A stage, or one cell of its matrix, with ${matrix.x} filled in.

    `needs` are the names of the instances that it waits for, `all_needs` also those that these wait for, in topological order.
    """

    name: str
    stage_name: str
    stage: Stage
    cell: Cell
    needs: tuple[str, ...] = ()
    all_needs: tuple[str, ...] = ()

    @property
    def env(self) -> dict[str, str]:
        """MATRIX_PY and so on: the cell as environment variables."""
        return {matrix_variable(axis): value_text(value) for axis, value in self.cell.items()}


def expand(pipeline: Pipeline) -> list[Instance]:
    """All instances in the pipeline's order; cells in the order of the matrix, its last axis fastest.

    Raises SpecError for a cycle and for an axis in ${matrix.x} that is not there.
    """
    names = {name: [instance_name(name, cell) for cell in cells(stage)] for name, stage in pipeline.stages.items()}
    direct = {name: _all(names, dict.fromkeys(stage.needs)) for name, stage in pipeline.stages.items()}
    further = dag.transitive({name: stage.needs for name, stage in pipeline.stages.items()})
    return [
        Instance(instance_name(name, cell), name, _filled(stage, cell), cell, direct[name], _all(names, further[name]))
        for name, stage in pipeline.stages.items()
        for cell in cells(stage)
    ]


def cells(stage: Stage) -> list[Cell]:
    """The combinations of the matrix; a stage without one has a single empty cell."""
    return [dict(zip(stage.matrix, values, strict=True)) for values in product(*stage.matrix.values())]


def instance_name(stage: str, cell: Cell) -> str:
    """'test', or 'test[py=3.11,os=linux]'."""
    inner = ",".join(f"{axis}={value_text(value)}" for axis, value in cell.items())
    return f"{stage}[{inner}]" if cell else stage


def matrix_variable(axis: str) -> str:
    return f"MATRIX_{axis.upper().replace('-', '_')}"


def value_text(value: Any) -> str:
    """As YAML writes it: true and false in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def ready(instances: Collection[Instance], finished: Mapping[str, str], running: Collection[str]) -> list[Instance]:
    """What can start now, in the order of `instances`. `finished` maps names to 'passed', 'skipped' or 'failed'."""
    return [
        instance
        for instance in instances
        if instance.name not in finished
        and instance.name not in running
        and all(finished.get(need) in SATISFIED for need in instance.needs)
    ]


def blocked_by_failure(instances: Collection[Instance], finished: Mapping[str, str]) -> dict[str, list[str]]:
    """Instances that can never start, each with the failed ones that it waits for, directly or not."""
    failed = {name for name, verdict in finished.items() if verdict not in SATISFIED}
    blocked = {
        instance.name: [need for need in instance.all_needs if need in failed]
        for instance in instances
        if instance.name not in finished
    }
    return {name: culprits for name, culprits in blocked.items() if culprits}


def topological_order(instances: Collection[Instance]) -> list[Instance]:
    """Each after what it needs, otherwise in the given order. Raises SpecError on a cycle."""
    known = {instance.name: instance for instance in instances}
    return [known[name] for name in dag.topological({instance.name: instance.needs for instance in instances})]


def _all(names: Mapping[str, list[str]], stages: Collection[str]) -> tuple[str, ...]:
    return tuple(instance for stage in stages for instance in names[stage])


def _filled(stage: Stage, cell: Cell) -> Stage:
    """Commands stay as they are: they read MATRIX_PY, in which no quote can go wrong."""
    if not cell:
        return stage
    values = {axis: value_text(value) for axis, value in cell.items()}
    return stage.model_copy(
        update={
            "steps": [_with(step, ("name", "image", "workdir", "options"), values) for step in stage.steps],
            "caches": [_with(cache, ("path", "key"), values) for cache in stage.caches],
            "concurrency": fill_all(stage.concurrency, "matrix", values),
        }
    )


def _with(model: M, fields: tuple[str, ...], values: Mapping[str, str]) -> M:
    return model.model_copy(update={field: fill_all(getattr(model, field), "matrix", values) for field in fields})
