"""The audit trail as outsiders see it: whole by the command line, and every decision in it once."""

from __future__ import annotations

from collections import Counter

from tests.support.live_stack import LiveStack


def actions(stack: LiveStack, subject: str) -> Counter[str]:
    """How often each action is recorded about a run or an 'environment/service'."""
    entries = stack.ask("audit", "log", subject, "--limit", "1000")
    return Counter(entry["audit"]["action"] for entry in entries)


def assert_whole(stack: LiveStack) -> None:
    report = stack.ask("audit", "verify")
    assert report["ok"], report
    assert report["count"] > 0
