"""SARIF 2.1.0 (OASIS standard), read into findings and written from them.

Severity is the result's or rule's `security-severity` on GitHub's scale (a CVSS score: critical from 9, high from 7, medium
from 4) and else the level. Suppressed results and those whose baselineState is absent do not count. A file that the tool could
not analyse is a finding of its own: what was not looked at is not clean.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from pydantic import ValidationError

from activities.reports.files import read_bounded
from activities.reports.sarif_model import Location, Log, Notification, Result, Rule, Run
from activities.reports.sources import Sources
from pipelines.errors import StepFailed
from pipelines.findings import fingerprint, number_repeats
from pipelines.messages.quality import Finding
from pipelines.spec.gate import Severity

_OWN = "switchyard/v1"
_LEVELS: dict[str, Severity] = {"error": "high", "warning": "medium", "note": "low", "none": "info"}
_LEVEL_OF: dict[Severity, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "none"}
_SCORE_OF: dict[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
_SCALE: tuple[tuple[float, Severity], ...] = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.0, "low"))
_PLACE_WORDS = re.compile(r"\b(lines?|columns?|col)[ :]+\d+", re.I)
_CWE = re.compile(r"\bcwe[-_/]0*(\d+)\b", re.I)
_MOST_TEXT = 2000


def parse_sarif(text: str, tool: str | None = None, sources: Sources | None = None, name: str = "SARIF report") -> list[Finding]:
    """The findings of all runs in a report. `tool` replaces the report's own tool name, `sources` is the workspace that paths
    become relative to, `name` is how an error calls the report.

    Raises StepFailed when the text is no SARIF 2.1.0, or when it says that the tool failed or did not scan.
    """
    places = sources or Sources()
    findings = [finding for run in _read(text, name).runs for finding in _run_findings(run, tool, places, name)]
    return number_repeats(findings)


def read_sarif(path: Path, tool: str | None = None, sources: Sources | None = None) -> tuple[list[str], list[Finding]]:
    """The names of the tools that a file speaks for, and its findings. Raises StepFailed naming the file."""
    name = f"SARIF report {path}"
    text = read_bounded(path, "SARIF").decode("utf-8", "replace")
    tools = [tool] if tool else [run.tool.driver.name.lower() for run in _read(text, name).runs]
    return tools, parse_sarif(text, tool, sources, name)


def _read(text: str, name: str) -> Log:
    try:
        return Log.model_validate(json.loads(text.removeprefix("\ufeff")))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StepFailed(f"{name} is not SARIF 2.1.0: {where}: {first['msg']}", "Have the tool write SARIF 2.1.0") from error
    except (ValueError, RecursionError) as error:
        raise StepFailed(f"{name} is not JSON: {error}", "Let the tool write it anew; was it killed?") from error


def _run_findings(run: Run, tool: str | None, sources: Sources, name: str) -> Iterator[Finding]:
    own = (tool or run.tool.driver.name).lower()
    failed = [invocation for invocation in run.invocations if not invocation.execution_successful]
    if failed or run.results is None:
        why = failed[0].exit_code_description if failed else "it has no results"
        raise StepFailed(f"{name} says that {own} did not scan: {why or 'its execution failed'}", "Look at the step's log")
    for result in run.results:
        if result.counts:
            yield _finding(run, result, own, sources)
    for invocation in run.invocations:
        for notification in (*invocation.tool_execution_notifications, *invocation.tool_configuration_notifications):
            if notification.level == "error":
                yield _not_analysed(notification, own, sources)


def _finding(run: Run, result: Result, tool: str, sources: Sources) -> Finding:
    rule = run.rule_of(result)
    rule_id = result.rule_id or result.rule.id or (rule.id if rule else "unknown")
    message = _message(result, rule)
    path, line, column = _place(run, result.locations, sources)
    return Finding(
        tool=tool,
        rule=rule_id,
        severity=_severity(result, rule),
        message=message[:_MOST_TEXT],
        path=path,
        line=line,
        column=column,
        fingerprint=result.fingerprints.get(_OWN)
        or fingerprint(tool, rule_id, path, _identity(result, message, path, line, sources)),
        remedy=_remedy(result, rule),
        cwe=_cwe(result, rule),
    )


def _place(run: Run, locations: list[Location], sources: Sources) -> tuple[str, int | None, int | None]:
    if not locations:
        return "", None, None
    physical = locations[0].physical_location
    uri = physical.artifact_location.uri
    if not uri and 0 <= physical.artifact_location.index < len(run.artifacts):
        uri = run.artifacts[physical.artifact_location.index].location.uri
    return (
        sources.relative(uri if uri.startswith("file:") else unquote(uri)),
        physical.region.start_line,
        physical.region.start_column,
    )


def _identity(result: Result, message: str, path: str, line: int | None, sources: Sources) -> str:
    """The offending text: the tool's own fingerprint, the snippet, the source line, or the message without its line numbers."""
    given = {key: value for key, value in (result.fingerprints or result.partial_fingerprints).items() if value}
    if given:
        return "\n".join(f"{key}={value}" for key, value in sorted(given.items()))
    snippet = result.locations[0].physical_location.region.snippet.text if result.locations else ""
    return snippet or sources.line(path, line) or _PLACE_WORDS.sub(r"\1", message)


def _severity(result: Result, rule: Rule | None) -> Severity:
    for properties in (result.properties, rule.properties if rule else {}):
        score = _score(properties.get("security-severity"))
        if score is not None and score > 0:
            return next(severity for least, severity in _SCALE if score >= least)
    if result.kind != "fail":
        return "info"
    level = result.level or (rule.default_configuration.level if rule else "warning")
    return _LEVELS.get(level, "medium")


def _score(value: Any) -> float | None:
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if math.isfinite(score) else None


def _message(result: Result, rule: Rule | None) -> str:
    text = result.message.text or (rule.message_strings[result.message.id].text if _named(result, rule) and rule else "")
    for number, argument in enumerate(result.message.arguments):
        text = text.replace(f"{{{number}}}", argument)
    return text or (rule.short_description.text or rule.full_description.text if rule else "") or "no message"


def _named(result: Result, rule: Rule | None) -> bool:
    return rule is not None and result.message.id in rule.message_strings


def _remedy(result: Result, rule: Rule | None) -> str:
    own = result.properties.get("remedy")
    if isinstance(own, str):
        return own[:_MOST_TEXT]
    return (rule.help_uri or rule.help.text)[:_MOST_TEXT] if rule else ""


def _cwe(result: Result, rule: Rule | None) -> str:
    for properties in (result.properties, rule.properties if rule else {}):
        if match := _CWE.search(json.dumps([properties.get("cwe"), properties.get("tags")], default=str)):
            return f"CWE-{match[1]}"
    return ""


def _not_analysed(notification: Notification, tool: str, sources: Sources) -> Finding:
    locations = notification.locations
    path = sources.relative(locations[0].physical_location.artifact_location.uri) if locations else ""
    message = f"could not be analysed: {notification.message.text}"[:_MOST_TEXT]
    return Finding(
        tool=tool,
        rule="not-analysed",
        severity="medium",
        message=message,
        path=path,
        fingerprint=fingerprint(tool, "not-analysed", path, _PLACE_WORDS.sub(r"\1", message)),
    )


def to_sarif(findings: Iterable[Finding]) -> str:
    """A SARIF 2.1.0 log with one run per tool; parse_sarif gives the same findings back."""
    by_tool: dict[str, list[Finding]] = {}
    for finding in findings:
        by_tool.setdefault(finding.tool, []).append(finding)
    runs = [
        {"tool": {"driver": {"name": tool}}, "columnKind": "unicodeCodePoints", "results": [_result(each) for each in found]}
        for tool, found in by_tool.items()
    ]
    return json.dumps({"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": runs}, indent=1)


def _result(finding: Finding) -> dict[str, Any]:
    properties = {"security-severity": _SCORE_OF.get(finding.severity), "remedy": finding.remedy, "cwe": finding.cwe}
    region = {"startLine": finding.line, "startColumn": finding.column}
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.path)}}
    if finding.line is not None:
        physical["region"] = {key: value for key, value in region.items() if value is not None}
    return {
        "ruleId": finding.rule,
        "level": _LEVEL_OF[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": physical}] if finding.path else [],
        "fingerprints": {_OWN: finding.fingerprint},
        "properties": {key: value for key, value in properties.items() if value},
    }
