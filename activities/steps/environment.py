"""The surroundings of a step's process: where it runs, with which variables and limits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from activities.steps.job import MARK
from pipelines.errors import SpecError, StepFailed, WorkspaceLost
from pipelines.messages.build import StepInput
from pipelines.spec.step import Limits

_SHELLS = {"bash": ("bash", "-euo", "pipefail", "-c"), "sh": ("sh", "-eu", "-c")}
_MIB = 1 << 20


def shell(name: str, script: str) -> tuple[str, ...]:
    """The arguments that run a script. Raises SpecError for a shell that is not known."""
    if name not in _SHELLS:
        raise SpecError(f"'{name}' is no shell that steps can use", f"Use {' or '.join(_SHELLS)}")
    return (*_SHELLS[name], script)


def workdir(workspace: Path, relative: str) -> Path:
    """The step's folder. Raises StepFailed when it is not a folder inside the workspace, links followed; WorkspaceLost when
    there is no workspace."""
    root = workspace.resolve()
    if not root.is_dir():
        raise WorkspaceLost(f"the workspace {workspace} is not on this host", "It has to be opened anew")
    folder = (root / relative).resolve()
    if not folder.is_relative_to(root):
        raise StepFailed(f"workdir '{relative}' is outside of the workspace", "Name a folder inside it, relative to its root")
    if not folder.is_dir():
        raise StepFailed(f"workdir '{relative}' is not a folder in the workspace", "Check its name and the steps before")
    return folder


def environment(step: StepInput, private: Path, secrets: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """All of the process's variables: of the worker's own only PATH and LANG. Later ones win: facts, spec, secrets."""
    own = {
        "PATH": inherited.get("PATH", os.defpath),
        "LANG": inherited.get("LANG", "C.UTF-8"),
        "TERM": "dumb",
        "CI": "true",
        "HOME": str(private / "home"),
        "TMPDIR": str(private / "tmp"),
        "SWITCHYARD_RUN": step.run_id,
        "SWITCHYARD_REPO": step.repo,
        "SWITCHYARD_STAGE": step.stage,
        "SWITCHYARD_STEP": str(step.index),
        "SWITCHYARD_ATTEMPT": str(step.attempt),
        "SWITCHYARD_WORKSPACE": step.workspace.path,
    }
    return {**own, **step.env, **step.step.env, **secrets}


def with_mark(env: Mapping[str, str], mark: str) -> dict[str, str]:
    return {**env, MARK: mark}


def rlimits(limits: Limits) -> dict[str, int]:
    """By name, in the units of setrlimit(2)."""
    wanted = {
        "RLIMIT_AS": limits.memory_mb and limits.memory_mb * _MIB,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_NPROC": limits.processes and limits.processes + _tasks_of_user() if os.geteuid() else None,
        "RLIMIT_NOFILE": limits.open_files,
    }
    return {name: value for name, value in wanted.items() if value}


def _tasks_of_user() -> int:
    """Threads that the user has already: RLIMIT_NPROC counts all of them, on the whole host."""
    count = 0
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and folder.stat().st_uid == os.geteuid():
                count += sum(1 for _ in (folder / "task").iterdir())
        except OSError:
            continue
    return count


def human(seconds: float) -> str:
    """A duration as the spec writes it: 600 is '10m', 5400 '1h30m', 0.5 '500ms'."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds != int(seconds) and seconds < 60:
        return f"{seconds:g}s"
    parts, left = [], round(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return "".join(parts)
