"""ruff: lint. Syntax errors are high, the bandit family (S) and errors of logic (F63, F7, F82) medium, all else low."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.venv import engine_module
from activities.checks.verdict import expect, judge
from activities.reports.files import read_json
from activities.reports.shape import items, number, text
from activities.reports.sources import Sources
from pipelines.findings import fingerprint
from pipelines.messages.quality import Finding
from pipelines.spec.gate import Severity

_HIGH = ("invalid-syntax", "E9")
_MEDIUM = ("F63", "F7", "F82")


class Ruff:
    name = "ruff"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        report = context.scratch / "ruff.json"
        options = context.options
        if not done:
            flags = ("check", "--no-cache", "--output-format", "json", "--output-file", str(report))
            return Command((*engine_module("ruff"), *flags, *options.args, "--", *options.paths))
        expect("ruff", done[0], {0, 1})
        sources = Sources(context.workspace, context.workdir)
        return judge(["ruff"], (finding_of(item, sources) for item in items(read_json(report, "ruff"), "ruff")), options.fail_on)


def finding_of(item: dict[str, Any], sources: Sources, tool: str = "ruff") -> Finding:
    """One item of ruff's JSON."""
    rule = text(item, "code") or "invalid-syntax"
    path, line = sources.relative(text(item, "filename")), number(item, "location", "row")
    message = text(item, "message")
    return Finding(
        tool=tool,
        rule=rule,
        severity=_severity(rule),
        message=message,
        path=path,
        line=line,
        column=number(item, "location", "column"),
        fingerprint=fingerprint(tool, rule, path, sources.line(path, line) or message),
        remedy=text(item, "url"),
    )


def _severity(rule: str) -> Severity:
    if rule.startswith(_HIGH):
        return "high"
    family = rule.rstrip("0123456789")
    return "medium" if family == "S" or rule.startswith(_MEDIUM) else "low"
