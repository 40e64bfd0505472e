"""The web server: webhooks, API and dashboard."""

from __future__ import annotations

import sys

from pipelines.settings import Settings
from starter.stack.part import Part, http_ok
from starter.stack.processes import Record
from starter.token import ensure_token

HEALTH = "/healthz"


def _command(settings: Settings) -> list[str]:
    return [sys.executable, "-m", "starter.cli", "serve"]


def _make_token(settings: Settings) -> None:
    ensure_token(settings)


def _healthy(settings: Settings, record: Record) -> bool:
    host = "127.0.0.1" if settings.web.host in ("0.0.0.0", "::") else settings.web.host  # noqa: S104
    return http_ok(settings.ports.web, HEALTH, host)


WEB = Part(
    name="web",
    purpose="web server",
    command=_command,
    healthy=_healthy,
    ports=("web",),
    before=_make_token,
)
