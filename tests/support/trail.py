"""What is left of a run for outsiders: an audit trail that is whole, with every decision in it once, and what was told."""

from __future__ import annotations

from collections import Counter

from activities.records import Records
from tests.support.live_stack import LiveStack, until


def actions(stack: LiveStack, subject: str) -> Counter[str]:
    """How often each action is recorded about a run or an 'environment/service'."""
    entries = stack.ask("audit", "log", subject, "--limit", "1000")
    return Counter(entry["audit"]["action"] for entry in entries)


def assert_whole(stack: LiveStack) -> None:
    report = stack.ask("audit", "verify")
    assert report["ok"], report
    assert report["count"] > 0


def assert_told(stack: LiveStack, run_id: str, *titles: str) -> None:
    """Notifications with these ends of their titles have reached the console, each once; a killed delivery takes its time."""
    records = Records(stack.settings.database)

    def reached() -> Counter[str]:
        mine = [told for told in records.notifications.recent(500) if told.notification.key.startswith(f"{run_id}/")]
        return Counter(told.notification.title.rsplit(": ", 1)[-1] for told in mine if told.channels == ["console"])

    until(lambda: reached().total() >= len(titles), f"all notifications of {run_id} are delivered", 45)
    assert reached() == Counter(titles)
