"""mypy: types. Runs the workspace's mypy when its .venv has one, else the engine's against the .venv's packages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.venv import engine_module, has_package, python_of, venv_of
from activities.checks.verdict import expect, judge
from activities.reports.files import read_bounded
from activities.reports.shape import number, text
from activities.reports.sources import Sources
from pipelines.errors import StepFailed
from pipelines.findings import fingerprint
from pipelines.messages.quality import Finding


class Mypy:
    name = "mypy"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        report = context.scratch / "mypy.jsonl"
        if not done:
            return Command(_argv(context), stdout=report)
        # Status 2 is a crash or a syntax error; only the latter is reported as a finding.
        expect("mypy", done[0], {0, 1, 2})
        sources = Sources(context.workspace, context.workdir)
        findings = [_finding(item, sources) for item in _errors(read_bounded(report, "mypy").decode("utf-8", "replace"))]
        if done[0].exit_code and not findings:
            raise StepFailed(
                f"mypy ended with status {done[0].exit_code} and reported no error", "Its own words are in the step's log"
            )
        return judge(["mypy"], findings, context.options.fail_on)


def _argv(context: CheckContext) -> tuple[str, ...]:
    venv = venv_of(context)
    command: tuple[str, ...] = engine_module("mypy")
    if venv and has_package(venv, "mypy"):
        command = (str(python_of(venv)), "-m", "mypy")
    elif venv:
        command = (*command, "--python-executable", str(python_of(venv)))
    flags = ("--output", "json", "--no-error-summary", "--cache-dir", str(context.scratch / "mypy-cache"))
    return (*command, *flags, *context.options.args, "--", *context.options.paths)


def _errors(output: str) -> list[dict[str, Any]]:
    """Lines that are no JSON object are words for people; notes belong to an error that is listed itself."""
    found = []
    for line in output.splitlines():
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(item, dict) and item.get("severity") == "error":
            found.append(item)
    return found


def _finding(item: dict[str, Any], sources: Sources) -> Finding:
    rule, path, line = text(item, "code") or "error", sources.relative(text(item, "file")), number(item, "line")
    message = text(item, "message")
    return Finding(
        tool="mypy",
        rule=rule,
        severity="high" if rule == "syntax" else "medium",
        message=message,
        path=path,
        line=line,
        column=number(item, "column"),
        fingerprint=fingerprint("mypy", rule, path, sources.line(path, line) or message),
        remedy=text(item, "hint"),
    )
