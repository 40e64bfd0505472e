"""Pydantic's errors in plain words, each with what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_snake
from pydantic_core import ErrorDetails

from pipelines.schema import words_at
from pipelines.spec import Pipeline
from pipelines.spec.complaint import KIND, Complaint, Path
from pipelines.template import did_you_mean

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "date_type": "a day such as 2026-12-31",
    "date_from_datetime_parsing": "a day such as 2026-12-31",
    "date_from_datetime_inexact": "a day such as 2026-12-31",
    "date_parsing": "a day such as 2026-12-31",
}
_BOUNDS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}


def complaints_of(
    error: ValidationError, data: Any, model: type[BaseModel] = Pipeline, top: str = "the pipeline"
) -> list[Complaint]:
    """One complaint for each thing that is wrong. `data` was validated as `model`; `top` is what people call the whole of it."""
    return list(_distinct(_complaint(each, data, model, top) for each in error.errors(include_url=False)))


def _distinct(complaints: Iterable[Complaint]) -> Iterator[Complaint]:
    """A value that may be one of several types has an error for each of them: told once."""
    unions: dict[Path, str] = {}
    for each in complaints:
        if not each.on_key and " must be " in each.message and unions.setdefault(each.path, each.message) != each.message:
            continue
        yield each


def _complaint(error: ErrorDetails, data: Any, model: type[BaseModel], top: str) -> Complaint:
    path, on_key = locate(error["loc"], data)
    kind, context = error["type"], error.get("ctx", {})
    if kind == KIND:
        return Complaint(path, context["text"], context["remedy"], context["on_key"])
    name = f"'{_name(path)}'" if path else top
    if kind == "extra_forbidden":
        known = words_at(path[:-1], data, model)
        return Complaint(path, f"{name} is not a word of {_owner(path, top)}", did_you_mean(str(path[-1]), known), True)
    if kind == "missing":
        missing = error["loc"][-1]
        owner = _owner((*path, missing), top)
        return Complaint(path, f"'{missing}' is missing in {owner}", f"Add '{missing}:'", bool(path))
    if kind == "string_pattern_mismatch":
        told_name = "what 'secrets' says here" if path[:1] == ("secrets",) and not on_key else f"'{error['input']}'"
        return _pattern(path, str(error["input"]), told_name, context["pattern"], on_key)
    if kind in ("literal_error", "union_tag_invalid"):
        return _choice(path, error, on_key)
    if kind == "union_tag_not_found":
        return Complaint(path, f"{name} does not say its strategy", "Add 'strategy: canary', blue-green or rolling", True)
    return Complaint(path, *_plain(kind, name, error, hidden=bool({"secrets", "env"} & set(path))), on_key)


def _plain(kind: str, name: str, error: ErrorDetails, *, hidden: bool) -> tuple[str, str]:
    """Message and remedy. What may be a secret that somebody wrote into the file is not repeated."""
    context, value = error.get("ctx", {}), error["input"]
    if kind in _WANTED:
        return f"{name} must be {_WANTED[kind]}, not {told(value, hidden=hidden)}", _repair(kind, value, hidden=hidden)
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"{name} {words} {context[bound]:g}, not {told(value)}", f"Correct {name}"
    if kind == "too_short":
        return f"{name} must not be empty", "Add an entry, or remove the key"
    if kind == "too_long":
        return f"{name} has more than {context['max_length']} entries", "Remove some"
    if kind == "value_error":
        return str(context["error"]), f"Correct {name}"
    return f"{name}: {error['msg']}", f"Correct {name}"


def _pattern(path: Path, value: str, told_name: str, pattern: str, on_key: bool) -> Complaint:
    if pattern.startswith("^[a-z0-9]"):
        rule = "at most 63 lower-case letters, digits and '-', with no '-' at either end"
        remedy = f"Write for example '{_dns(value)}'"
    else:
        rule, remedy = "letters, digits and '_', and no digit at first", "Rename it"
    return Complaint(path, f"{told_name} is not a valid name: {rule}", remedy, on_key)


def _dns(value: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in value.lower()).strip("-")[:63] or "app"


def _choice(path: Path, error: ErrorDetails, on_key: bool) -> Complaint:
    context = error.get("ctx", {})
    expected = str(context.get("expected") or context.get("expected_tags"))
    known = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
    value = context.get("tag", error["input"])
    where = (*path, "strategy") if error["type"] == "union_tag_invalid" else path
    message = f"'{_name(where)}' must be one of {', '.join(known)}, not {told(value)}"
    remedy = did_you_mean(value, known) if isinstance(value, str) else f"Use {known[0]}"
    return Complaint(where, message, remedy, on_key)


def locate(loc: Path, data: Any) -> tuple[Path, bool]:
    """Where in the data an error of pydantic is, and whether it is about the key.

    Pydantic names fields by alias, and adds names of union members and '[key]', which are no part of the data.
    """
    path: list[str | int] = []
    for index, part in enumerate(loc):
        if part == "[key]" and index == len(loc) - 1:
            return tuple(path), True
        step = _step(part, data)
        if step is not None:
            path.append(step)
            data = data[step]
    return tuple(path), False


def _step(part: str | int, data: Any) -> str | int | None:
    if isinstance(data, dict):
        spellings = (part, to_snake(part)) if isinstance(part, str) else (part,)
        return next((spelling for spelling in spellings if spelling in data), None)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return part
    return None


def told(value: Any, *, hidden: bool = False) -> str:
    """A value for people: short, with its type; only the type when it is hidden."""
    if value is None:
        return "empty"
    if hidden and isinstance(value, str | int | float):
        return "a text" if isinstance(value, str) else "a number or truth value"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, str):
        return f"the text '{value[:40]}'"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"the number {value}"


def _repair(kind: str, value: Any, *, hidden: bool) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        if hidden:
            return "Put it into quotes"
        return f'Quote it: "{str(value).lower()}"'
    if kind == "list_type" and isinstance(value, str) and not hidden:
        return f"Write [{value[:40]}]"
    if value is None:
        return "Give it a value, or remove the key"
    return f"Write {_WANTED[kind]}"


def _name(path: Path) -> str:
    """The last key, with the index of a list's entry: steps[2]."""
    if isinstance(path[-1], int) and len(path) > 1:
        return f"{_name(path[:-1])}[{path[-1]}]"
    return str(path[-1])


def _owner(path: Path, top: str) -> str:
    """What the last key of a path belongs to: the pipeline, stage 'test', steps[0] of stage 'test'."""
    around = path[:-1]
    if not around:
        return top
    if len(around) >= 2 and around[0] == "stages":
        stage = f"stage '{around[1]}'"
        return stage if len(around) == 2 else f"'{_name(around)}' of {stage}"
    return f"'{_name(around)}'"
