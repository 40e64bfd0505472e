"""Line coverage from Cobertura XML (as coverage.py, gocover-cobertura, JaCoCo converters and istanbul write it)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from activities.reports.files import local, parse_xml
from pipelines.errors import StepFailed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: S405


@dataclass(frozen=True)
class Lines:
    """Lines that ran, of those that could; fractions when a report gives only its rate (it then weighs as one line)."""

    covered: float
    valid: float

    @property
    def percent(self) -> float:
        return 100.0 * self.covered / self.valid


def parse_coverage(path: Path) -> float:
    """Line coverage in percent (0..100). Raises StepFailed naming the file when it cannot be told."""
    return read_lines(path).percent


def combined_coverage(paths: Iterable[Path]) -> float | None:
    """Coverage in percent of several reports, weighted by their lines; None without any."""
    reports = [read_lines(path) for path in paths]
    if not reports:
        return None
    return Lines(sum(report.covered for report in reports), sum(report.valid for report in reports)).percent


def read_lines(path: Path) -> Lines:
    """Raises StepFailed naming the file when the report is broken or measured nothing."""
    root = parse_xml(path, "Coverage")
    if local(root) != "coverage":
        raise StepFailed(f"Coverage report {path} starts with <{local(root)}>, not with <coverage>", "Write Cobertura XML")
    lines = _declared(root) or _counted(root) or _rate(root)
    if lines is None or not (0 <= lines.covered <= lines.valid and lines.valid > 0):
        raise StepFailed(f"Coverage report {path} measured no lines", "Check which sources are measured and that tests ran")
    return lines


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _declared(root: Element) -> Lines | None:
    covered, valid = _number(root.get("lines-covered")), _number(root.get("lines-valid"))
    return None if covered is None or valid is None else Lines(covered, valid)


def _counted(root: Element) -> Lines | None:
    """Only the lines of classes: those of methods are repeated there."""
    hits = [line.get("hits") for cls in root.iter() if local(cls) == "class" for line in _class_lines(cls)]
    return Lines(sum((_number(hit) or 0) > 0 for hit in hits), len(hits)) if hits else None


def _class_lines(cls: Element) -> list[Element]:
    return [line for group in cls if local(group) == "lines" for line in group if local(line) == "line"]


def _rate(root: Element) -> Lines | None:
    rate = _number(root.get("line-rate"))
    return None if rate is None else Lines(rate, 1.0)
