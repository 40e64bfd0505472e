"""What is wrong with a definition, where in it, and what to do: the loader adds file, line and column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Complaint:
    """`path` leads from the top of the definition to the value, `on_key` means its key."""

    path: Path
    message: str
    remedy: str = ""
    on_key: bool = False

    def under(self, path: Path) -> Complaint:
        return Complaint((*path, *self.path), self.message, self.remedy, self.on_key)


KIND = "complaint"
"""The error type of complaints in pydantic's ValidationError; its context has text, remedy and on_key."""


def refuse(model: str, complaints: Iterable[Complaint]) -> None:
    """For validators. Raises pydantic's ValidationError with all complaints, each at its own place, when there are any."""
    errors = [
        InitErrorDetails(
            type=PydanticCustomError(KIND, "{text}", {"text": each.message, "remedy": each.remedy, "on_key": each.on_key}),
            loc=each.path,
            input=None,
        )
        for each in complaints
    ]
    if errors:
        raise ValidationError.from_exception_data(model, errors)
