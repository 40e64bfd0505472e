"""go-vet: suspicious constructs in Go, from `go vet -json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from activities.checks.base import CheckContext, CheckReport, Command, Finished, need_tool
from activities.checks.caches import go_caches
from activities.checks.verdict import expect, judge
from activities.reports.files import read_bounded
from activities.reports.shape import text
from activities.reports.sources import Sources
from pipelines.errors import StepFailed
from pipelines.findings import fingerprint
from pipelines.messages.quality import Finding


class GoVet:
    name = "go-vet"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        report = context.scratch / "go-vet.json"
        if not done:
            paths = ["./..." if path == "." else path for path in context.options.paths]
            # Without -json the exit status tells of findings only; go writes the JSON of each package one after another.
            return Command((need_tool("go", "Install Go"), "vet", "-json", *paths), go_caches(), stdout=report)
        expect("go vet", done[0], {0})
        sources = Sources(context.workspace, context.workdir)
        packages = list(_objects(read_bounded(report, "go vet").decode("utf-8", "replace")))
        if not packages:
            raise StepFailed("go vet printed no report", "Use a Go that prints it to standard output (1.26 does)")
        return judge(["go-vet"], [each for package in packages for each in _findings(package, sources)], context.options.fail_on)


def _objects(output: str) -> Iterator[dict[str, Any]]:
    lines = [line for line in output.splitlines() if not line.startswith("#")]
    rest, decoder = "\n".join(lines).strip(), json.JSONDecoder()
    while rest:
        try:
            item, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError) as error:
            raise StepFailed(f"go vet's report is not JSON: {error}", "Its own words are in the step's log") from error
        if isinstance(item, dict):
            yield item
        rest = rest[end:].lstrip()


def _findings(packages: dict[str, Any], sources: Sources) -> Iterator[Finding]:
    for package, analyzers in packages.items():
        for rule, reports in (analyzers if isinstance(analyzers, dict) else {}).items():
            if not isinstance(reports, list):
                raise StepFailed(f"go vet could not analyse {package}: {text(reports, 'error')}", "Does it compile?")
            yield from (_finding(rule, report, sources) for report in reports)


def _finding(rule: str, report: object, sources: Sources) -> Finding:
    file, line, column = _position(text(report, "posn"))
    path, message = sources.relative(file), text(report, "message")
    return Finding(
        tool="go-vet",
        rule=rule,
        severity="medium",
        message=message,
        path=path,
        line=line,
        column=column,
        fingerprint=fingerprint("go-vet", rule, path, sources.line(path, line) or message),
    )


def _position(posn: str) -> tuple[str, int | None, int | None]:
    file, *numbers = posn.rsplit(":", 2)
    line, column = (int(number) if number.isascii() and number.isdigit() else None for number in (numbers + ["", ""])[:2])
    return file, line or None, column or None
