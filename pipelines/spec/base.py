"""What all models of the language share."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def parse_duration(value: object) -> object:
    """'1h30m', '500ms' or a number of seconds, to seconds (float). Raises ValueError with the accepted forms."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"'{value}' is not a duration; write for example 500ms, 30s, 5m, 1h30m or 7d")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


_TEXT = Annotated[str, Field(pattern=r"^\s*(\d+(\.\d+)?(ms|s|m|h|d))+\s*$", examples=["500ms", "30s", "5m", "1h30m", "7d"])]

Duration = Annotated[
    float, Field(ge=0), BeforeValidator(parse_duration, json_schema_input_type=_TEXT | Annotated[float, Field(ge=0)])
]
"""Seconds; in YAML a number of seconds or a text such as '5m'."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", description="a DNS label: a-z, 0-9, -")]


EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="name of an environment variable")]


class SpecModel(BaseModel):
    """Immutable, and an unknown key is an error rather than a surprise."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)


class RolloutModel(SpecModel):
    """Rollout and analysis words are spelled as in Argo Rollouts (`setWeight`); snake_case is accepted too."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False, alias_generator=to_camel, populate_by_name=True
    )
