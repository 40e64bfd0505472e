"""Runs a built-in check on a folder with real processes, as the step runner does but without its log and limits."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.registry import CHECKS
from pipelines.builtins import BUILTINS


@dataclass
class Bench:
    """A workspace with files, and what was run in it. `root` may hold spaces: nothing may depend on there being none."""

    root: Path
    commands: list[Command] = field(default_factory=list)
    done: list[Finished] = field(default_factory=list)
    output: str = ""

    @property
    def workspace(self) -> Path:
        return self.root / "work space"

    def write(self, files: Mapping[str, str]) -> Bench:
        for name, text in files.items():
            path = self.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def context(self, check: str, options: Mapping[str, Any], workdir: str = ".", offline: bool = False) -> CheckContext:
        scratch = self.root / "scratch"
        scratch.mkdir(exist_ok=True)
        self.workspace.mkdir(exist_ok=True)
        given = BUILTINS[check].options.model_validate(dict(options))
        folder = self.workspace / workdir if workdir != "." else self.workspace
        return CheckContext(self.workspace, folder, scratch, given, offline)

    def run(self, check: str, workdir: str = ".", offline: bool = False, **options: Any) -> CheckReport:
        """The check's report; every command's end is remembered in `done`. `next` is called twice each time: it must not
        matter, since a worker may die between the two."""
        context = self.context(check, options, workdir, offline)
        self.done, self.commands = [], []
        for _ in range(20):
            CHECKS[check].next(context, list(self.done))
            step = CHECKS[check].next(context, list(self.done))
            if isinstance(step, CheckReport):
                return step
            self.done.append(self._execute(step, context))
        raise AssertionError("the check does not end")

    def _execute(self, command: Command, context: CheckContext) -> Finished:
        self.commands.append(command)
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"} | dict(command.env)
        ended = subprocess.run(
            command.argv, cwd=context.workdir, env=env, capture_output=True, text=True, timeout=200, check=False
        )
        if command.stdout is not None:
            command.stdout.write_text(ended.stdout)
        self.output += ended.stdout + ended.stderr
        return Finished(ended.returncode)
