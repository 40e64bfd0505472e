"""An artifact's name means one thing, and who releases it comes after who makes it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines import dag
from pipelines.graph import cells
from pipelines.spec import Pipeline
from pipelines.spec.complaint import Complaint, Path
from pipelines.template import did_you_mean


def artifacts(pipeline: Pipeline) -> Iterator[Complaint]:
    yield from _names(pipeline)
    yield from _releases(pipeline)


def _names(pipeline: Pipeline) -> Iterator[Complaint]:
    makers: dict[str, str] = {}
    for name, stage in pipeline.stages.items():
        for index, artifact in enumerate(stage.artifacts):
            where = ("stages", name, "artifacts", index, "name")
            if artifact.name in makers:
                message = f"the artifact '{artifact.name}' is already made by stage '{makers[artifact.name]}'"
                yield Complaint(where, message, "Give it another name")
            elif len(cells(stage)) > 1:
                message = f"every cell of the matrix would make its own artifact '{artifact.name}'"
                yield Complaint(where, message, "Make it in a stage without a matrix that needs this one")
            makers.setdefault(artifact.name, name)


def _releases(pipeline: Pipeline) -> Iterator[Complaint]:
    needs = {name: stage.needs for name, stage in pipeline.stages.items()}
    if dag.cycles(needs):
        return
    before = dag.transitive(needs)
    makers = {artifact.name: name for name, stage in pipeline.stages.items() for artifact in stage.artifacts}
    for name, stage in pipeline.stages.items():
        wanted = stage.release.artifact if stage.release else None
        if stage.release is None or wanted is None or makers.get(wanted) in before[name]:
            continue
        place: Path = ("stages", name, "release", "artifact")
        if wanted in makers:
            message = f"stage '{name}' releases '{wanted}', but does not wait for stage '{makers[wanted]}', which makes it"
            yield Complaint(place, message, f"Add '{makers[wanted]}' to 'needs'")
        else:
            remedy = did_you_mean(wanted, list(makers)) or "Add 'artifacts' to the stage that builds it"
            yield Complaint(place, f"stage '{name}' releases '{wanted}', which no stage makes", remedy)
