"""Files of the workspace by glob, never outside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from activities.checks.base import CheckContext
from pipelines.errors import StepFailed

_SKIPPED = {".git", ".venv", "node_modules"}


def files(context: CheckContext, patterns: Iterable[str]) -> list[Path]:
    """Regular files that match any pattern (relative to the step's folder), sorted, each once.

    Raises StepFailed for a pattern that is absolute or leads out of the workspace.
    """
    found = {path for pattern in patterns for path in _matches(context, pattern)}
    return sorted(path for path in found if not _SKIPPED & set(path.relative_to(context.workdir).parts))


def _matches(context: CheckContext, pattern: str) -> list[Path]:
    if not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise StepFailed(f"'{pattern}' is not a path below the step's folder", "Write it relative to the step's 'workdir'")
    root = context.workspace.resolve()
    return [path for path in context.workdir.glob(pattern) if path.is_file() and path.resolve().is_relative_to(root)]


def remove(context: CheckContext, patterns: Iterable[str]) -> None:
    """Takes away reports that were there before, so that they are not taken for what a command writes."""
    for path in files(context, patterns):
        path.unlink(missing_ok=True)
