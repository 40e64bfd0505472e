"""${var.name} in a pipeline file, filled in after the YAML is read: a value cannot add words to the language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.errors import SpecError
from pipelines.spec.complaint import Complaint, Path
from pipelines.template import fill_prefixed

LONGEST = 1000
"""Characters of a value."""


def filled(data: dict[str, Any], variables: Mapping[str, str]) -> tuple[dict[str, Any], list[Complaint]]:
    """The definition with its texts filled in, and a complaint for each name that has no value.

    The file's own `variables` are defaults; a value given for a name that the file does not declare is a complaint too.
    """
    own = data.get("variables")
    defaults = {name: text for name, text in own.items() if isinstance(text, str)} if isinstance(own, dict) else {}
    strange = [
        Complaint(("variables",), f"the pipeline has no variable '{name}'", f"Add '{name}' to the file's 'variables'")
        for name in variables
        if name not in defaults
    ]
    values = {**defaults, **variables}
    long = [
        Complaint(("variables", name), f"the variable '{name}' has more than {LONGEST} characters", "Put it into a file")
        for name, text in values.items()
        if len(text) > LONGEST
    ]
    if long:
        return data, [*strange, *long]
    complaints: list[Complaint] = []
    found = {key: value if key == "variables" else _fill(value, values, (key,), complaints) for key, value in data.items()}
    if isinstance(own, dict):
        found["variables"] = {**own, **variables}
    return found, [*strange, *complaints]


def _fill(value: Any, values: Mapping[str, str], path: Path, complaints: list[Complaint]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(item, values, (*path, key), complaints) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, values, (*path, index), complaints) for index, item in enumerate(value)]
    if not isinstance(value, str) or "${var." not in value:
        return value
    try:
        return fill_prefixed(value, "var", values)
    except SpecError as error:
        complaints.append(Complaint(path, error.message, error.remedy or "Declare it under 'variables'"))
        return value
