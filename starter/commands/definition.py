"""validate, schema: the pipeline language, without any server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from starter.commands.base import Json, give


def validate(
    file: Annotated[Path, typer.Argument(help="A pipeline file.")] = Path(".switchyard.yml"),
    as_json: Json = False,
) -> None:
    """Check a pipeline file. Ends with 2 and file, line and column when it is wrong."""
    from pipelines.load import load_pipeline

    pipeline = load_pipeline(file)
    facts = {"file": str(file), "name": pipeline.name, "service": pipeline.service, "stages": list(pipeline.stages)}
    give(
        facts,
        as_json,
        lambda: f"{file} is valid: pipeline '{pipeline.name}' of {pipeline.service}, {len(pipeline.stages)} stages",
    )


def schema() -> None:
    """The JSON Schema of pipeline files, for editors."""
    from pipelines.spec import Pipeline

    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Pipeline.model_json_schema(by_alias=True)}
    print(json.dumps(found, indent=2))


def register(app: typer.Typer) -> None:
    app.command()(validate)
    app.command()(schema)
