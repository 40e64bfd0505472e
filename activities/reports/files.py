"""Reports are written by the code under test, so they are read as hostile: bounded, and XML without entities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError  # noqa: S405

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pipelines.errors import StepFailed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: S405

MAX_BYTES = 32 * 1024 * 1024


def read_bounded(path: Path, kind: str) -> bytes:
    """The file's bytes, at most MAX_BYTES of them. Raises StepFailed that names the file."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StepFailed(
            f"{kind} report {path} cannot be read: {error.strerror}", "Check the path and that the step writes it"
        ) from error
    if len(data) > MAX_BYTES:
        raise StepFailed(
            f"{kind} report {path} is larger than {MAX_BYTES >> 20} MiB", "Split it, or leave captured output out of it"
        )
    return data


def parse_xml(path: Path, kind: str) -> Element:
    """The root element of a report. Raises StepFailed that names the file and what is wrong with it."""
    data = read_bounded(path, kind)
    try:
        root: Element = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise StepFailed(
            f"{kind} report {path} is not usable XML: {error}", "Let the tool write it anew; was it killed?"
        ) from error
    return root


def local(element: Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def read_json(path: Path, kind: str) -> Any:
    """A JSON report. Raises StepFailed that names the file when it is missing, too large or broken."""
    try:
        return json.loads(read_bounded(path, kind).decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise StepFailed(f"{kind} report {path} is not JSON: {error}", "Look at the step's log; was the tool killed?") from error
