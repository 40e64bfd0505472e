"""secrets: with gitleaks or Trivy. Neither the secret nor anything made from it is kept: fingerprints use the censored line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from activities.checks.base import CheckContext, CheckReport, Command, Finished, find_tool, need_tool
from activities.checks.trivy import scan, severity_of, target
from activities.checks.verdict import expect, judge
from activities.reports.files import read_json
from activities.reports.sarif import read_sarif
from activities.reports.shape import items_at, number, text
from activities.reports.sources import Sources
from pipelines.findings import fingerprint
from pipelines.messages.quality import Finding

_CWE = "CWE-798"
_REMEDY = "Revoke the secret, take it out of the files and refer to it under 'secrets'"


class Secrets:
    name = "secrets"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        scanner = _scanner(context)
        report = context.scratch / f"{scanner}.json"
        if not done:
            return scan(context, "secret", report) if scanner == "trivy" else _gitleaks(context, str(report))
        expect(scanner, done[0], {0})
        sources = Sources(context.workspace, context.workdir)
        if scanner == "trivy":
            findings = _of_trivy(read_json(report, "trivy"), context, sources)
        else:
            findings = [_of_gitleaks(each) for each in read_sarif(report, "gitleaks", sources)[1] if not _skipped(each, context)]
        return judge(["secrets", scanner], findings, context.options.fail_on)


def _scanner(context: CheckContext) -> str:
    wanted: str = context.options.scanner
    if wanted != "auto":
        return wanted
    return "gitleaks" if find_tool("gitleaks") else "trivy"


def _gitleaks(context: CheckContext, report: str) -> Command:
    tool = need_tool("gitleaks", "Install gitleaks 8.19 or newer, or set 'scanner: trivy'")
    flags = ("--report-format", "sarif", "--report-path", report, "--redact", "--exit-code", "0", "--no-banner", "--no-color")
    return Command((tool, "dir", context.options.paths[0], *flags))


def _skipped(finding: Finding, context: CheckContext) -> bool:
    """gitleaks knows excluded folders only from a configuration file."""
    folders = finding.path.split("/")[:-1]
    return any(part in (".git", ".venv", "node_modules", *context.options.exclude) for part in folders)


def _of_gitleaks(finding: Finding) -> Finding:
    return finding.model_copy(update={"severity": "critical", "cwe": _CWE, "remedy": _REMEDY})


def _of_trivy(report: object, context: CheckContext, sources: Sources) -> list[Finding]:
    return [
        _finding(item, sources.relative(target(context, text(result, "Target"))))
        for result in items_at(report, "Results", "trivy")
        for item in items_at(result, "Secrets", "trivy")
    ]


def _finding(item: dict[str, Any], path: str) -> Finding:
    rule = text(item, "RuleID") or "secret"
    return Finding(
        tool="trivy",
        rule=rule,
        severity=severity_of(text(item, "Severity")),
        message=text(item, "Title"),
        path=path,
        line=number(item, "StartLine"),
        fingerprint=fingerprint("trivy", rule, path, text(item, "Match")),
        remedy=_REMEDY,
        cwe=_CWE,
    )
