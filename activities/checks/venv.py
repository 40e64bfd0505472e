"""The workspace's own Python environment, and the engine's."""

from __future__ import annotations

import sys
from pathlib import Path

from activities.checks.base import CheckContext

VENV = ".venv"


def venv_of(context: CheckContext) -> Path | None:
    """The nearest `.venv` with a working interpreter: in the step's folder, else in the workspace's root."""
    folders = (context.workdir / VENV, context.workspace / VENV)
    return next((folder for folder in folders if python_of(folder).exists()), None)


def python_of(venv: Path) -> Path:
    """Its interpreter; scripts beside it are never used, since they hold the path that the environment was made at."""
    return venv / "bin" / "python"


def has_package(venv: Path, package: str) -> bool:
    return any(venv.glob(f"lib/python*/site-packages/{package}"))


def engine_module(module: str) -> tuple[str, ...]:
    """A tool of the engine. `-P`: files of the workspace must not take the place of the tool's own modules."""
    return (sys.executable, "-P", "-m", module)
