"""YAML text to a pipeline, or everything that is wrong with it: file, line, column, what, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipelines.errors import Problem, SpecError
from pipelines.positions import Document, read
from pipelines.rules import check
from pipelines.spec import Pipeline, Stage, Step
from pipelines.spec.complaint import Complaint, Path
from pipelines.spec.parts import parts
from pipelines.spec.structure import structure
from pipelines.variables import filled
from pipelines.wording import complaints_of

EXAMPLE = "Begin with 'name: my-service', 'service: my-service' and 'stages:'"


def load_pipeline(text: str, file: str, variables: Mapping[str, str] | None = None) -> Pipeline:
    """The definition in the text; `file` is its name in messages, `variables` fill ${var.name} over the file's own defaults.

    Raises SpecError with one line (`file:line:column: message`) and one entry of `problems` for each thing that is wrong.
    """
    document = read(text, file)
    if document.data is None or not isinstance(document.data, dict):
        raise SpecError.of(document.problems or [_no_mapping(document)])
    data, complaints = filled(document.data, variables or {})
    pipeline, found = _validated(data)
    problems = [*document.problems, *(_problem(document, each) for each in (*complaints, *found, *_respelled(document)))]
    if problems or pipeline is None:
        raise SpecError.of(problems)
    return pipeline


def _no_mapping(document: Document) -> Problem:
    if document.data is None:
        return Problem(document.file, 1, 1, "the file is empty", EXAMPLE)
    return document.problem((), "a pipeline is a mapping of words to values", EXAMPLE)


def _problem(document: Document, complaint: Complaint) -> Problem:
    return document.problem(complaint.path, complaint.message, complaint.remedy, on_key=complaint.on_key)


def _validated(data: dict[str, Any]) -> tuple[Pipeline | None, list[Complaint]]:
    """The rules are asked even when the form is wrong, about the stages that are right."""
    try:
        pipeline = Pipeline.model_validate(data)
    except ValidationError as error:
        wrong = complaints_of(error, data)
        return None, list(dict.fromkeys([*wrong, *_further(data, wrong)]))
    return pipeline, check(pipeline)


def _further(data: dict[str, Any], wrong: list[Complaint]) -> list[Complaint]:
    """What else can be said for sure of a pipeline with errors: nothing that an error may be the cause of."""
    given = data.get("stages")
    if not isinstance(given, dict):
        return []
    stages = {name: _stage(stage) for name, stage in given.items()}
    broken = [name for name, stage in stages.items() if stage is None]
    standing: dict[str, Any] = {"stages": {name: stage or _stand_in(given[name]) for name, stage in stages.items()}}
    pipeline = Pipeline.model_construct(**standing, secrets=_mapping(data, "secrets"))
    found = [*structure(pipeline), *check(pipeline)]
    found = [each for each in found if not _explained(each, wrong) and not (broken and _depends_on_others(each))]
    return [*found, *(complaint for name in broken for complaint in _parts(name, given[name], wrong))]


def _explained(complaint: Complaint, wrong: list[Complaint]) -> bool:
    """Something is wrong at the same place already."""
    return any(other.path[: len(complaint.path)] == complaint.path for other in wrong)


def _stage(given: Any) -> Stage | None:
    try:
        return Stage.model_validate(given)
    except ValidationError:
        return None


def _stand_in(given: Any) -> Stage:
    """A stage with those of its parts that are right by themselves."""
    if not isinstance(given, dict):
        return Stage.model_construct()
    fields = {name: Stage.model_fields[name].annotation for name in given if name in Stage.model_fields}
    sound = {name: _sound(annotation, given[name]) for name, annotation in fields.items() if name != "steps"}
    steps = given.get("steps", [])
    sound["steps"] = [_sound(Step, step) or Step(run=":") for step in steps] if isinstance(steps, list) else []
    return Stage.model_construct(**{name: part for name, part in sound.items() if part is not None})


def _sound(annotation: Any, given: Any) -> Any:
    try:
        return TypeAdapter(annotation).validate_python(given)
    except ValidationError:
        return None


def _parts(name: str, given: Any, wrong: list[Complaint]) -> list[Complaint]:
    """Only of a stage with a wrong value in it, not with a wrong word, which may be the missing part misspelled."""
    path: Path = ("stages", name)
    if not isinstance(given, dict) or any(each.on_key and each.path[:-1] == path for each in wrong):
        return []
    return [each.under(path) for each in parts(Stage.model_construct(**given))]


def _depends_on_others(complaint: Complaint) -> bool:
    """Who makes an artifact can be a stage that could not be read."""
    return "release" in complaint.path and "which no stage makes" in complaint.message


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _respelled(document: Document) -> list[Complaint]:
    """3.10 in a matrix is the number 3.1, which nobody means."""
    return [
        Complaint(path, f"{text} is read as the number {_value(document.data, path)}", f'Quote it: "{text}"')
        for path, text in document.respelled.items()
        if len(path) > 2 and path[0] == "stages" and path[2] in ("matrix", "steps")
    ]


def _value(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data
