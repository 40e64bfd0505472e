"""trivy-misconfig: Dockerfiles, Kubernetes, Helm and Terraform, with the checks that are part of Trivy itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.trivy import scan, severity_of, target
from activities.checks.verdict import expect, judge
from activities.reports.files import read_json
from activities.reports.shape import items_at, number, text
from activities.reports.sources import Sources
from pipelines.findings import fingerprint
from pipelines.messages.quality import Finding


class TrivyMisconfig:
    name = "trivy-misconfig"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        report = context.scratch / "trivy.json"
        if not done:
            return scan(context, "misconfig", report, "--skip-check-update")
        expect("trivy", done[0], {0})
        sources = Sources(context.workspace, context.workdir)
        findings = [
            _finding(item, sources.relative(target(context, text(result, "Target"))), sources)
            for result in items_at(read_json(report, "trivy"), "Results", "trivy")
            for item in items_at(result, "Misconfigurations", "trivy")
            if text(item, "Status") != "PASS"
        ]
        return judge(["trivy-misconfig"], findings, context.options.fail_on)


def _finding(item: dict[str, Any], path: str, sources: Sources) -> Finding:
    rule, line = text(item, "ID") or "misconfiguration", number(item, "CauseMetadata", "StartLine")
    message = text(item, "Message") or text(item, "Title")
    return Finding(
        tool="trivy-misconfig",
        rule=rule,
        severity=severity_of(text(item, "Severity")),
        message=message,
        path=path,
        line=line,
        fingerprint=fingerprint("trivy-misconfig", rule, path, sources.line(path, line) or message),
        remedy=text(item, "Resolution"),
    )
