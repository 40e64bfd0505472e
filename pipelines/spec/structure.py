"""That a pipeline hangs together: needs and secrets exist, and no stage waits for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines import dag
from pipelines.spec.complaint import Complaint, Path
from pipelines.template import did_you_mean

if TYPE_CHECKING:
    from pipelines.spec.pipeline import Pipeline


def structure(pipeline: Pipeline) -> Iterator[Complaint]:
    yield from _needs(pipeline)
    yield from _cycles(pipeline)
    yield from _secrets(pipeline)


def _needs(pipeline: Pipeline) -> Iterator[Complaint]:
    for name, stage in pipeline.stages.items():
        for index, need in enumerate(stage.needs):
            if need not in pipeline.stages:
                known = [other for other in pipeline.stages if other != name]
                message = f"stage '{name}' needs '{need}', which does not exist"
                yield Complaint(("stages", name, "needs", index), message, did_you_mean(need, known))


def _cycles(pipeline: Pipeline) -> Iterator[Complaint]:
    needs = {name: stage.needs for name, stage in pipeline.stages.items()}
    for cycle in dag.cycles(needs):
        where: Path = ("stages", cycle[0], "needs", list(needs[cycle[0]]).index(cycle[1]))
        yield Complaint(where, f"stages wait for each other: {' -> '.join(cycle)}", "Remove one of these needs")


def _secrets(pipeline: Pipeline) -> Iterator[Complaint]:
    known = list(pipeline.secrets)
    for name, stage in pipeline.stages.items():
        wanted: list[tuple[Path, list[str]]] = [(("secrets",), stage.secrets)]
        wanted += [(("steps", index, "secrets"), step.secrets) for index, step in enumerate(stage.steps)]
        for path, secrets in wanted:
            for index, secret in enumerate(secrets):
                if secret not in pipeline.secrets:
                    remedy = did_you_mean(secret, known) or "Add it under 'secrets' with where it is"
                    message = f"stage '{name}' uses secret '{secret}', which is not in the pipeline's 'secrets'"
                    yield Complaint(("stages", name, *path, index), message, remedy)
