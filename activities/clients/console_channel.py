"""Notifications on the console: the worker's standard error, which is its log."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.markup import escape

from pipelines.messages.notify import Level, Notification

_STYLES: dict[Level, str] = {"info": "blue", "success": "green", "warning": "yellow", "error": "bold red"}


class ConsoleChannel:
    """One line per notification, then its text and links, indented."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._lock = threading.Lock()

    def send(self, notification: Notification) -> None:
        lines = [f"[{_STYLES[notification.level]}]{notification.level}[/]: {escape(notification.title)}"]
        lines += [f"    {escape(line)}" for line in notification.text.splitlines()]
        lines += [f"    {escape(name)}: {escape(address)}" for name, address in sorted(notification.links.items())]
        with self._lock:
            self._console.print("\n".join(lines))
