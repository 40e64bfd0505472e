"""bandit: security problems in Python, read from its SARIF. The project's own [tool.bandit] in pyproject.toml is followed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from activities.checks.venv import engine_module
from activities.checks.verdict import expect, judge
from activities.reports.sarif import read_sarif
from activities.reports.sources import Sources
from pipelines.messages.quality import Finding

_SKIPPED = (".git", ".venv", ".tox", ".eggs", "__pycache__", "node_modules")
_QUOTES_A_PASSWORD = ("B105", "B106", "B107")
_QUOTED = re.compile(r":\s*'.*'\s*$", re.S)


class Bandit:
    name = "bandit"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        report = context.scratch / "bandit.sarif"
        options = context.options
        if not done:
            excluded = ",".join(f"*/{folder.strip('/')}/*" for folder in (*_SKIPPED, *options.exclude))
            flags = ("-q", "-r", "-f", "sarif", "-o", str(report), "-x", excluded, *_config(context))
            return Command((*engine_module("bandit"), *flags, *options.paths))
        expect("bandit", done[0], {0, 1})
        tools, findings = read_sarif(report, "bandit", Sources(context.workspace, context.workdir))
        return judge(tools, map(_censored, findings), options.fail_on)


def _config(context: CheckContext) -> tuple[str, ...]:
    file = context.workdir / "pyproject.toml"
    try:
        ours = "bandit" in tomllib.loads(file.read_text("utf-8")).get("tool", {})
    except (OSError, ValueError):
        return ()
    return ("-c", str(file)) if ours else ()


def _censored(finding: Finding) -> Finding:
    """Without the password that bandit quotes in its message: findings are stored and shown."""
    if finding.rule not in _QUOTES_A_PASSWORD:
        return finding
    return finding.model_copy(update={"message": _QUOTED.sub(": '***'", finding.message)})
