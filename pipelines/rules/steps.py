"""Steps name checks that exist, with options that these have."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from pipelines.builtins import BUILTINS
from pipelines.spec import Pipeline, Step
from pipelines.spec.complaint import Complaint
from pipelines.template import did_you_mean
from pipelines.wording import complaints_of

SHELLS = ("bash", "sh")


def steps(pipeline: Pipeline) -> Iterator[Complaint]:
    for name, stage in pipeline.stages.items():
        for index, step in enumerate(stage.steps):
            for complaint in _of(step):
                yield complaint.under(("stages", name, "steps", index))


def _of(step: Step) -> Iterator[Complaint]:
    if step.uses is None:
        if not (step.run or "").strip():
            yield Complaint(("run",), "the command is empty", "Write a command, or remove the step")
        if step.options:
            yield Complaint(("with",), "'with' is for built-in checks; a command has no options", "Use 'env', or 'uses'", True)
        if step.shell not in SHELLS:
            yield Complaint(("shell",), f"'{step.shell}' is no shell that steps can use", f"Use {' or '.join(SHELLS)}")
        return
    if step.uses not in BUILTINS:
        yield Complaint(("uses",), f"there is no built-in check '{step.uses}'", did_you_mean(step.uses, list(BUILTINS)))
        return
    if step.image:
        remedy = "Remove 'image', or use 'run'"
        yield Complaint(("image",), f"the built-in check '{step.uses}' does not run in an image", remedy, True)
    yield from _options(step, step.uses)


def _options(step: Step, uses: str) -> Iterator[Complaint]:
    options = BUILTINS[uses].options
    try:
        options.model_validate(step.options)
    except ValidationError as error:
        for complaint in complaints_of(error, step.options, options, f"'with' of {uses}"):
            yield complaint.under(("with",))
