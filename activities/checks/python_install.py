"""python/install: `.venv` with the project's requirements. Nothing is done when it is there and made from the same content.

A changed or half-made environment is made anew, so that what was removed from the requirements is gone from it too.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.caches import python_caches
from activities.checks.globs import files
from activities.checks.installers import Installer, choose
from activities.checks.venv import VENV, python_of
from activities.checks.verdict import expect
from pipelines.errors import StepFailed
from pipelines.messages.common import Status

_STAMP = "switchyard.stamp"
_INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]\s*(\S+)", re.M)


class PythonInstall:
    name = "python/install"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        installer = choose()
        venv = context.workdir / VENV
        stamp = venv / _STAMP
        content = _content(context, installer)
        if not done and python_of(venv).exists() and stamp.is_file() and stamp.read_text() == content:
            return CheckReport(Status.passed, "up to date")
        if done:
            expect("the installer", done[-1], {0})
        commands = _commands(context, installer, venv)
        if len(done) < len(commands):
            return Command(commands[len(done)], python_caches())
        stamp.write_text(content)
        return CheckReport(Status.passed, f"installed by {installer.name}" if len(commands) > 1 else "made; nothing to install")


def _requirements(context: CheckContext) -> list[Path]:
    wanted = context.options.requirements
    found = files(context, wanted or ["requirements*.txt"])
    if wanted and not found:
        raise StepFailed("no requirements file matches 'requirements'", "Check the globs; they start at the step's folder")
    return found


def _installable(context: CheckContext) -> bool:
    """Whether the step's folder is a project, and asked for: a pyproject.toml may hold nothing but the settings of tools."""
    file = context.workdir / "pyproject.toml"
    wanted: bool | None = context.options.project
    if wanted is None and _requirements(context) and not context.options.extras:
        return False
    try:
        tables = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    except ValueError as error:
        raise StepFailed(f"pyproject.toml cannot be read: {error}", "Correct the file") from error
    is_project = "project" in tables or "build-system" in tables or (context.workdir / "setup.py").is_file()
    if wanted and not is_project:
        raise StepFailed(
            "there is no project to install", "Add a pyproject.toml with a [project] table, or remove 'project: true'"
        )
    return is_project and wanted is not False


def _commands(context: CheckContext, installer: Installer, venv: Path) -> list[tuple[str, ...]]:
    python = context.options.python or sys.executable
    if shutil.which(python) is None:
        raise StepFailed(f"the interpreter '{python}' is not installed on this host", "Install it, or leave 'python' out")
    commands = [installer.create(python, venv)]
    for path in _requirements(context):
        hashed = ("--require-hashes",) if "--hash=" in path.read_text("utf-8", "replace") else ()
        commands.append(installer.install(venv, *hashed, "-r", str(path.relative_to(context.workdir))))
    if _installable(context):
        extras = f"[{','.join(context.options.extras)}]" if context.options.extras else ""
        commands.append(installer.install(venv, "-e", f".{extras}"))
    if context.options.packages:
        commands.append(installer.install(venv, "--", *context.options.packages))
    return commands


def _content(context: CheckContext, installer: Installer) -> str:
    """A hash of all that decides what is installed."""
    digest = hashlib.sha256(json.dumps([installer.name, sys.version, sys.executable]).encode())
    digest.update(context.options.model_dump_json().encode())
    named = [context.workdir / name for name in ("pyproject.toml", "setup.py", "setup.cfg")]
    for path in _with_includes([*_requirements(context), *(path for path in named if path.is_file())]):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _with_includes(paths: Iterable[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    todo = list(paths)
    while todo:
        path = todo.pop().resolve()
        if path in found:
            continue
        found[path] = None
        included = _INCLUDE.findall(path.read_text("utf-8", "replace")) if path.suffix in (".txt", ".in") else []
        todo += [near for name in included if (near := path.parent / name).is_file()]
    return sorted(found)
