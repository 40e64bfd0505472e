"""Download and build caches that installers may share between steps: a step's home is private and ends with it."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> str:
    """A folder under the engine's own user cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return str(base / "switchyard" / name)


def python_caches() -> dict[str, str]:
    return {"PIP_CACHE_DIR": cache_folder("pip"), "UV_CACHE_DIR": cache_folder("uv")}


def go_caches() -> dict[str, str]:
    return {"GOCACHE": cache_folder("go-build"), "GOMODCACHE": cache_folder("go-mod")}
