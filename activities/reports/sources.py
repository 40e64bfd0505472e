"""Paths in reports made relative to the workspace, and the lines that findings point at."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

_MOST_SOURCE = 4 * 1024 * 1024


class Sources:
    """A workspace as reports see it. `root` None: paths stay as they are, and no line is known. `base` is the folder that a
    report's relative paths start from; default: the root."""

    def __init__(self, root: Path | None = None, base: Path | None = None) -> None:
        self.root = root.resolve() if root else None
        self.base = base or self.root
        self._lines = lru_cache(maxsize=64)(self._read)

    def relative(self, uri: str) -> str:
        """A POSIX path relative to the workspace, when it lies in it."""
        path = os.path.normpath(text) if (text := _path_of(uri).replace("\0", "")) else ""
        if not path or self.root is None or self.base is None:
            return path.replace(os.sep, "/")
        below = os.path.relpath(os.path.realpath(self.base / path), self.root)
        return (path if below.startswith("..") else below).replace(os.sep, "/")

    def line(self, path: str, number: int | None) -> str:
        """The text of a line (counted from 1), '' when it cannot be told. Never reads outside the workspace."""
        if self.root is None or not number or not path:
            return ""
        lines = self._lines(path)
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def _read(self, path: str) -> tuple[str, ...]:
        assert self.root is not None
        try:
            file = (self.root / path).resolve()
            if not file.is_relative_to(self.root) or not file.is_file() or file.stat().st_size > _MOST_SOURCE:
                return ()
            return tuple(file.read_text("utf-8", "replace").splitlines())
        except (OSError, ValueError):
            return ()


def _path_of(uri: str) -> str:
    if not uri.startswith("file:"):
        return uri
    try:
        return unquote(urlsplit(uri).path)
    except ValueError:
        return uri.removeprefix("file:")
