"""Texts with ${name} in them.

Commands are never filled in: what a stranger can choose (a branch's name) must not become part of a shell script. Steps get
such facts as environment variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pipelines.errors import SpecError

_PLACE = re.compile(r"\$\$\{|\$\{([^{}]*)\}?")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Every ${name} replaced by its value; `$${` gives a literal `${`. Raises SpecError for a name that is not there and for a
    brace that is not closed."""

    def value(match: re.Match[str]) -> str:
        if match.group(0) == "$${":
            return "${"
        return _value(match, values)

    return _PLACE.sub(value, text)


def fill_prefixed(text: str, prefix: str, values: Mapping[str, str]) -> str:
    """Only ${prefix.name}; everything else, such as a shell's own ${HOME}, stays as it is. Raises SpecError for a name that is
    not there."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None or not name.startswith(f"{prefix}."):
            return match.group(0)
        return _value(match, {f"{prefix}.{key}": value for key, value in values.items()})

    return _PLACE.sub(value, text)


def fill_all(data: Any, prefix: str, values: Mapping[str, str]) -> Any:
    """`fill_prefixed` on every text inside of lists and mappings; keys stay."""
    if isinstance(data, str):
        return fill_prefixed(data, prefix, values)
    if isinstance(data, list):
        return [fill_all(item, prefix, values) for item in data]
    if isinstance(data, dict):
        return {key: fill_all(item, prefix, values) for key, item in data.items()}
    return data


def placeholders(text: str) -> list[str]:
    """The names in the text's ${name}, in order."""
    return [match.group(1) for match in _PLACE.finditer(text) if match.group(1) is not None]


def did_you_mean(word: str, known: list[str]) -> str:
    """A remedy: the nearest of the known words, or all of them."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Known here: {', '.join(known)}" if known else ""


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    name = match.group(1)
    if not match.group(0).endswith("}"):
        raise SpecError(f"'{match.group(0)}' has no closing brace", "Write ${name}, or $${ for a literal ${")
    if name not in values:
        raise SpecError(f"'${{{name}}}' is not known here", did_you_mean(name, list(values)))
    return values[name]
