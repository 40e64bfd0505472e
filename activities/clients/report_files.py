"""Which files of a workspace a stage's report globs mean."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from pipelines.errors import SpecError


def report_files(tree: Path, patterns: list[str]) -> tuple[list[Path], list[str]]:
    """The regular files that match, sorted, each once, and the patterns that match none. Links that lead out of the workspace do
    not count. Raises SpecError for a pattern that leads out of it."""
    root = tree.resolve()
    found: set[Path] = set()
    unmatched: list[str] = []
    for pattern in patterns:
        parts = PurePosixPath(pattern)
        if not pattern or parts.is_absolute() or ".." in parts.parts:
            raise SpecError(f"report '{pattern}' is not a path below the workspace", "Write it relative to the workspace")
        matching = {path for path in tree.glob(pattern) if path.is_file() and path.resolve().is_relative_to(root)}
        found |= matching
        if not matching:
            unmatched.append(pattern)
    return sorted(found), unmatched
