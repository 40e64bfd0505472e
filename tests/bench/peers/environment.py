"""A virtual environment per engine, kept in the user's cache by what is installed in it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[1] / "recipes"


def interpreter(engine: str) -> Path:
    """Python with the engine's pinned packages, from PyPI when they are not there yet. Raises CalledProcessError."""
    requirements = RECIPES / engine / "requirements.txt"
    folder = _cache() / f"{engine}-{_key(requirements)}"
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            # Isolated: nothing of Switchyard's own environment may be found there.
            quiet = ["--quiet", "--disable-pip-version-check"]
            subprocess.run([str(python), "-I", "-m", "pip", "install", *quiet, "-r", str(requirements)], check=True)
            (folder / "complete").touch()
    return python


def pinned(engine: str) -> str:
    """The engine's own version."""
    first = (RECIPES / engine / "requirements.txt").read_text().splitlines()[0]
    return first.partition("==")[2]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "switchyard" / "bench"


def _key(requirements: Path) -> str:
    text = f"{sys.version_info[:2]} {requirements.read_text()}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]
