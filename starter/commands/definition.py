"""validate, schema: the pipeline language, without any server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import NotFound, SpecError
from starter.commands.base import Json, give


def validate(
    file: Annotated[Path, typer.Argument(help="A pipeline file.")] = Path(".switchyard.yml"),
    as_json: Json = False,
) -> None:
    """Check a pipeline file. Ends with 2 and file, line and column when it is wrong."""
    from pipelines.load import load_pipeline

    pipeline = load_pipeline(_text(file), str(file))
    facts = {"file": str(file), "name": pipeline.name, "service": pipeline.service, "stages": list(pipeline.stages)}
    give(
        facts,
        as_json,
        lambda: f"{file} is valid: pipeline '{pipeline.name}' of {pipeline.service}, {len(pipeline.stages)} stages",
    )


def schema() -> None:
    """The JSON Schema of pipeline files, for editors."""
    from pipelines.schema import json_schema

    print(json.dumps(json_schema(), indent=2))


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}", "Name a pipeline file that is there") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{file}: byte {error.start} is not UTF-8", "Save the file as UTF-8") from None


def register(app: typer.Typer) -> None:
    app.command()(validate)
    app.command()(schema)
