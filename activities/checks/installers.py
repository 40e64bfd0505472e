"""pip and uv: the two installers of python/install."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from activities.checks.base import find_tool
from activities.checks.venv import python_of


@dataclass(frozen=True)
class Installer:
    """`uv` is uv's path; '' means the interpreter's own venv and pip."""

    uv: str = ""

    @property
    def name(self) -> str:
        return "uv" if self.uv else "pip"

    def create(self, python: str, venv: Path) -> tuple[str, ...]:
        """Makes the environment, replacing what is there."""
        if self.uv:
            return self.uv, "venv", "--quiet", "--no-project", "--clear", "--python", python, str(venv)
        return python, "-m", "venv", "--clear", str(venv)

    def install(self, venv: Path, *what: str) -> tuple[str, ...]:
        if self.uv:
            return self.uv, "pip", "install", "--quiet", "--python", str(python_of(venv)), *what
        return str(python_of(venv)), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", *what


def choose() -> Installer:
    """uv when it is there, unless pip is configured to use another index: uv does not read pip's configuration."""
    uv = find_tool("uv")
    return Installer(uv) if uv and not _pip_has_index() else Installer()


def _pip_has_index() -> bool:
    if any(name.startswith(("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS")) for name in os.environ):
        return True
    places = (os.environ.get("PIP_CONFIG_FILE"), "/etc/pip.conf", "~/.config/pip/pip.conf", "~/.pip/pip.conf")
    return any(_names_index(Path(place).expanduser()) for place in places if place)


def _names_index(file: Path) -> bool:
    try:
        text = file.read_text("utf-8", "replace")
    except OSError:
        return False
    return "index-url" in text or "find-links" in text or "no-index" in text
