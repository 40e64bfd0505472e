"""What a check is to the step runner: next(context, done) gives a Command to run, or the CheckReport that ends the step.

`next` is called before the first command and after each one; it depends only on its arguments and on files in `scratch` and the
workspace, so that the runner may call it again after a crash. A command that was running then is run again from its start.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pipelines.errors import StepFailed
from pipelines.messages.common import Status
from pipelines.messages.quality import Finding, TestCase


@dataclass(frozen=True)
class Command:
    """One process, run in the step's folder. `env` is added to the step's environment. `stdout`: a file that gets the standard
    output instead of the log. Any exit status is the check's to judge."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stdout: Path | None = None


@dataclass(frozen=True)
class Finished:
    """How a command ended; a negative status is minus the signal's number."""

    exit_code: int


@dataclass(frozen=True)
class CheckContext:
    """`workspace` is the checkout's root, `workdir` the step's folder in it, `scratch` a folder of this step's own, empty before
    the first command. `options` is an instance of the builtin's options model."""

    workspace: Path
    workdir: Path
    scratch: Path
    options: Any
    offline: bool = False

    def place(self, path: str | Path) -> str:
        """A path in the workspace as reports name it: POSIX, relative to the workspace."""
        full = self.workdir / path
        return (full.relative_to(self.workspace) if full.is_relative_to(self.workspace) else full).as_posix()


@dataclass(frozen=True)
class CheckReport:
    """The step's outcome: `status` is passed, failed, or skipped when the check could not work (`message` says why).

    `tools`: names under which a gate can require this report; empty when skipped. `lines` are shown in the log.
    """

    status: Status
    message: str = ""
    tools: tuple[str, ...] = ()
    findings: tuple[Finding, ...] | None = None
    tests: tuple[TestCase, ...] | None = None
    coverage: float | None = None
    lines: tuple[str, ...] = ()


class Check(Protocol):
    """`name` is the builtin's. `next` raises StepFailed when a tool broke or left no usable report."""

    name: str

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport: ...


def engine_python() -> str:
    return sys.executable


def find_tool(name: str) -> str | None:
    """The tool on PATH, else the one beside the engine's own interpreter."""
    beside = Path(sys.executable).parent / name
    return shutil.which(name) or (str(beside) if beside.exists() else None)


def need_tool(name: str, remedy: str) -> str:
    """As find_tool. Raises StepFailed with the remedy when it is nowhere."""
    found = find_tool(name)
    if found is None:
        raise StepFailed(f"{name} is not installed on this host", remedy)
    return found
