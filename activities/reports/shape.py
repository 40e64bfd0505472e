"""Reads fields of a tool's JSON whose shape is not ours: what is missing or of another kind is an error that names the tool or an
empty value, never a crash."""

from __future__ import annotations

from typing import Any

from pipelines.errors import StepFailed


def items(value: object, kind: str) -> list[dict[str, Any]]:
    """A list of objects. Raises StepFailed when the report has another shape."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise StepFailed(
            f"{kind} report has an unknown shape: a list of objects was expected", f"Is this version of {kind} supported?"
        )
    return value


def items_at(value: object, key: str, kind: str) -> list[dict[str, Any]]:
    """The list of objects under a key; empty when the key is absent or null."""
    if not isinstance(value, dict):
        raise StepFailed(f"{kind} report has an unknown shape: an object was expected", f"Is this version of {kind} supported?")
    return items(value.get(key) or [], kind)


def _at(value: object, keys: tuple[str, ...]) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: object, *keys: str) -> str:
    """The text at a path of keys, at most 2000 characters; '' when there is none."""
    found = _at(value, keys)
    return found[:2000] if isinstance(found, str) else ""


def number(value: object, *keys: str) -> int | None:
    """A positive integer at a path of keys; None when there is none."""
    found = _at(value, keys)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
