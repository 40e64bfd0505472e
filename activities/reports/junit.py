"""JUnit XML, in the dialects of pytest, gotestsum, Maven Surefire and jest-junit.

No standard exists; the common core is the one that Jenkins' and Surefire's schemas describe. A test that failed and passed
when run again is marked by Surefire with flakyFailure or flakyError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from activities.reports.files import local, parse_xml
from pipelines.errors import StepFailed
from pipelines.messages.quality import TestCase

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # noqa: S405

_MOST_TEXT = 2000
_FLAKY = ("flakyFailure", "flakyError")
_RERUN = ("rerunFailure", "rerunError")
_PLACES = (
    re.compile(r"^(?P<file>[^\s:()]+\.py):(?P<line>\d+): ", re.M),
    re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.M),
    re.compile(r"^\s*(?P<file>[^\s:()]+\.go):(?P<line>\d+): ", re.M),
    re.compile(r"\((?P<file>[^\s:()]+\.(?:java|kt|scala|groovy)):(?P<line>\d+)\)"),
    re.compile(r"(?:\(|\bat )(?P<file>[^\s()]+\.[cm]?[jt]sx?):(?P<line>\d+):\d+"),
)
_LAST_WINS = 2
"""Python shows the innermost frame last (the first two patterns), the others first."""


def parse_junit(path: Path) -> list[TestCase]:
    """All test cases in document order. Raises StepFailed naming the file when it is not readable JUnit XML."""
    root = parse_xml(path, "JUnit")
    if local(root) not in ("testsuites", "testsuite"):
        raise StepFailed(
            f"JUnit report {path} starts with <{local(root)}>, not with <testsuites> or <testsuite>",
            "Check that the path names the JUnit XML file",
        )
    cases = [_case(suite, element) for suite, element in _elements(root)]
    failures = sum(case.status in ("failed", "error") for case in cases)
    if failures == 0 and _declared_failures(root) > 0:
        raise StepFailed(f"JUnit report {path} counts failures but lists no failed test", "Look at the step's log")
    return cases


def _elements(root: Element) -> Iterator[tuple[str, Element]]:
    """(suite name, testcase) pairs; iterative, so that hostile nesting cannot exhaust the stack."""
    stack = [(root.get("name", ""), root)]
    while stack:
        suite, element = stack.pop()
        if local(element) == "testcase":
            yield suite, element
            continue
        stack.extend((child.get("name") or suite if local(child) == "testsuite" else suite, child) for child in reversed(element))


def _declared_failures(root: Element) -> int:
    """Failures and errors that the suites claim; a suite that broke before its first test has no test case to show."""
    suites = [root] if local(root) == "testsuite" else [child for child in root if local(child) == "testsuite"]
    claims = [suite.get(key, "0").strip() for suite in suites for key in ("failures", "errors")]
    return sum(int(claim) for claim in claims if claim.isascii() and claim.isdigit() and len(claim) < 10)


def _case(suite: str, element: Element) -> TestCase:
    outcome = _first(element, "error", "failure")
    status = {"error": "error", "failure": "failed"}.get(local(outcome)) if outcome is not None else None
    skipped = _first(element, "skipped")
    if status is None:
        status = "skipped" if skipped is not None else "passed"
    shown = outcome if outcome is not None else skipped if skipped is not None else _first(element, *_FLAKY)
    return TestCase(
        suite=element.get("classname") or suite,
        name=element.get("name", ""),
        status=status,
        seconds=_seconds(element.get("time", "0")),
        message=_message(shown),
        place=_place(element, shown),
        runs=_runs(element, status),
    )


def _first(element: Element, *tags: str) -> Element | None:
    return next((child for tag in tags for child in element if local(child) == tag), None)


def _runs(element: Element, status: str) -> list[str]:
    again = ["error" if local(child).endswith("Error") else "failed" for child in element if local(child) in _FLAKY + _RERUN]
    return [*again, status] if again else []


def _seconds(text: str) -> float:
    """Seconds; Surefire writes thousands separators ('1,234.5'). What is no sensible number counts as 0."""
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value >= 0 else 0.0


def _message(outcome: Element | None) -> str:
    if outcome is None:
        return ""
    return ((outcome.get("message") or "").strip() or (outcome.text or "").strip())[:_MOST_TEXT]


def _place(element: Element, outcome: Element | None) -> str:
    """file:line of the failure when its text names one, else of the test itself."""
    text = f"{outcome.text or ''}\n{outcome.get('message') or ''}" if outcome is not None else ""
    for number, pattern in enumerate(_PLACES):
        if places := [f"{match['file']}:{match['line']}" for match in pattern.finditer(text)]:
            return places[-1] if number < _LAST_WINS else places[0]
    file, line = element.get("file", ""), element.get("line", "")
    return f"{file}:{line}" if file and line else file
