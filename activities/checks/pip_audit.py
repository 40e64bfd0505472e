"""pip-audit: installed Python packages with known vulnerabilities.

The service gives no severities, so each vulnerability counts as high. When the service does not answer, or knows none of the
packages (a mirror without vulnerability data looks like that), the step is skipped with its reason: never passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.caches import cache_folder
from activities.checks.globs import files
from activities.checks.venv import engine_module, venv_of
from activities.checks.verdict import judge
from activities.reports.files import read_json
from activities.reports.shape import items_at, text
from pipelines.errors import StepFailed
from pipelines.findings import fingerprint
from pipelines.messages.common import Status
from pipelines.messages.quality import Finding

_TIMEOUT = "10"


class PipAudit:
    name = "pip-audit"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        if context.offline:
            return _unavailable("the settings say offline")
        report = context.scratch / "pip-audit.json"
        if not done:
            flags = ["--format", "json", "--output", str(report), "--progress-spinner", "off", "--timeout", _TIMEOUT]
            flags += ["--cache-dir", cache_folder("pip-audit"), *_sources(context)]
            return Command((*engine_module("pip_audit"), *flags, *(f"--ignore-vuln={each}" for each in context.options.ignore)))
        try:
            packages = items_at(read_json(report, "pip-audit"), "dependencies", "pip-audit")
        except StepFailed:
            return _unavailable(f"it ended with status {done[0].exit_code} and no report; see the log")
        return _judged(packages, context)


def _unavailable(why: str) -> CheckReport:
    return CheckReport(Status.skipped, f"not available: {why}", lines=(f"pip-audit is not available: {why}",))


def _sources(context: CheckContext) -> list[str]:
    if context.options.requirements:
        found = files(context, context.options.requirements)
        if not found:
            raise StepFailed("no requirements file matches 'requirements'", "Check the globs; they start at the step's folder")
        return [flag for path in found for flag in ("--requirement", str(path))]
    venv = venv_of(context)
    if venv is None:
        raise StepFailed("there is no .venv to audit", "Use python/install before, or name files in 'requirements'")
    return [flag for folder in sorted(venv.glob("lib/python*/site-packages")) for flag in ("--path", str(folder))]


def _judged(packages: list[dict[str, Any]], context: CheckContext) -> CheckReport:
    unknown = [package for package in packages if text(package, "skip_reason")]
    if unknown and len(unknown) == len(packages):
        return _unavailable(f"none of the {len(packages)} packages could be looked up: {text(unknown[0], 'skip_reason')}")
    findings = [_finding(package, item) for package in packages for item in items_at(package, "vulns", "pip-audit")]
    return judge(["pip-audit"], [*findings, *map(_not_audited, unknown)], context.options.fail_on)


def _finding(package: dict[str, Any], item: dict[str, Any]) -> Finding:
    name, version = text(package, "name"), text(package, "version")
    aliases = [alias for alias in item.get("aliases") or () if isinstance(alias, str) and alias.startswith("CVE-")]
    fixed = [each for each in item.get("fix_versions") or () if isinstance(each, str)]
    rule = next(iter(aliases), text(item, "id") or "vulnerability")
    return Finding(
        tool="pip-audit",
        rule=rule,
        severity="high",
        message=f"{name} {version}: {text(item, 'description') or text(item, 'id')}"[:2000],
        path=name,
        fingerprint=fingerprint("pip-audit", rule, name, name),
        remedy=f"Upgrade {name} to {' or '.join(fixed)}" if fixed else f"No fixed version of {name} is known",
    )


def _not_audited(package: dict[str, Any]) -> Finding:
    name = text(package, "name")
    return Finding(
        tool="pip-audit",
        rule="not-audited",
        severity="low",
        message=text(package, "skip_reason"),
        path=name,
        fingerprint=fingerprint("pip-audit", "not-audited", name, name),
    )
