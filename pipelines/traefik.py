"""Traefik's configuration as data: the static one it starts with, and the dynamic one of a place's routing. Pure.

Words: a router matches requests, a service answers them. Each place has one weighted service over one load-balancer service per
release, so that Traefik's own metrics tell the releases apart; the preview has a service of its own, so that its requests are not
measured as users' requests.

Only active health checks take a replica out. Traefik's passive ones count every answer of 500 and above as a failure of the
server: a candidate whose requests fail would vanish from the traffic before its analysis has seen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import Field

from pipelines.layout import slug
from pipelines.messages.common import Message
from pipelines.messages.deploy import Place
from pipelines.settings import Ports

WEB, PREVIEW, ADMIN = "web", "preview", "traefik"
"""Entry points. The last one must have this name: Traefik serves its API, ping and metrics on it by default."""
PROVIDER = "file"
BASE_FILE = "_switchyard.yml"
"""What all places share. It also keeps the folder from being without configuration, which Traefik would take for a mistake
and answer by keeping the routes of before."""
DIRECT = "/.switchyard"
"""Path below which every place can be reached without a host name, for programs where *.localhost is not resolved."""

_RETRY, _TRANSPORT = "switchyard-retry", "switchyard"
_BUCKETS = (
    *(0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
)
"""Upper bounds in seconds of the latency histogram: fine enough for a p99 of a local service."""


class Backend(Message):
    """Where a release answers. `servers`: base URLs of its replicas; `health`: path that tells whether one is ready."""

    servers: list[str] = Field(default_factory=list)
    health: str = "/"


class Routing(Message):
    """The whole routing of a place. Weights in percent by release; `backends` of all releases that weights and preview name."""

    place: Place
    weights: dict[str, int] = Field(default_factory=dict)
    preview: str | None = None
    revision: int = 0
    rollout: str = ""
    backends: dict[str, Backend] = Field(default_factory=dict)


def static_config(ports: Ports, routes: Path, host: str = "127.0.0.1", access_log: Path | None = None) -> dict[str, Any]:
    """What Traefik is started with. `routes`: existing folder that it watches; `access_log`: JSON lines, None for no log."""
    points = {WEB: ports.proxy, PREVIEW: ports.preview, ADMIN: ports.proxy_admin}
    config: dict[str, Any] = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {name: {"address": f"{host}:{port}", **_PATIENT} for name, port in points.items()},
        "providers": {"providersThrottleDuration": "20ms", "file": {"directory": str(routes), "watch": True}},
        "api": {"insecure": True, "dashboard": False},
        "ping": {},
        "metrics": {"prometheus": {"addEntryPointsLabels": False, "addServicesLabels": True, "buckets": list(_BUCKETS)}},
        "log": {"level": "ERROR"},
    }
    if access_log is not None:
        config["accessLog"] = {"filePath": str(access_log), "format": "json", "bufferingSize": 100}
    return config


_PATIENT: dict[str, Any] = {
    "transport": {
        "lifeCycle": {"graceTimeOut": "10s"},
        "respondingTimeouts": {"readTimeout": "60s", "writeTimeout": "0s", "idleTimeout": "180s"},
    }
}


def base_config() -> dict[str, Any]:
    """Shared by all places.

    A request that did not reach a replica is tried again, and one that may be repeated (not POST or PATCH) also when the replica
    died under it, which Traefik answers with 502. Connections to replicas that nobody uses are closed soon, so that the open
    ones of a release tell how many requests it still answers.
    """
    retry = {"attempts": 6, "initialInterval": "50ms", "status": ["502"]}
    timeouts = {"dialTimeout": "2s", "idleConnTimeout": "500ms"}
    return {
        "http": {
            "middlewares": {_RETRY: {"retry": retry}},
            "serversTransports": {_TRANSPORT: {"forwardingTimeouts": timeouts, "maxIdleConnsPerHost": 200}},
        }
    }


def dynamic_config(routing: Routing) -> dict[str, Any]:
    """The routes of a place; {} when nothing is routed. Releases of weight 0 are not in it."""
    routers: dict[str, Any] = {}
    services: dict[str, Any] = {}
    weights = {release: weight for release, weight in routing.weights.items() if weight > 0}
    if weights:
        name = place_name(routing.place)
        routers |= _routers(name, WEB, routing.place)
        parts = [{"name": service_name(routing.place, release), "weight": weights[release]} for release in sorted(weights)]
        services[name] = {"weighted": {"healthCheck": {}, "services": parts}}
        services |= {service_name(routing.place, release): _balancer(routing.backends[release]) for release in sorted(weights)}
    if routing.preview is not None:
        name = preview_name(routing.place)
        routers |= _routers(name, PREVIEW, routing.place)
        services[name] = _balancer(routing.backends[routing.preview])
    if not routers:
        return {}
    strip = {_strip_name(routing.place): {"stripPrefix": {"prefixes": [direct_path(routing.place)]}}}
    return {"http": {"routers": routers, "middlewares": strip, "services": services}}


def _routers(service: str, entry_point: str, place: Place) -> dict[str, Any]:
    path = direct_path(place)
    rules = {
        service: (f"Host(`{host_name(place)}`)", [_RETRY]),
        f"{service}_direct": (f"Path(`{path}`) || PathPrefix(`{path}/`)", [_strip_name(place), _RETRY]),
    }
    return {
        name: {"entryPoints": [entry_point], "service": service, "rule": rule, "middlewares": middlewares}
        for name, (rule, middlewares) in rules.items()
    }


def _balancer(backend: Backend) -> dict[str, Any]:
    health = {
        "path": quote(backend.health, safe="/?&=%+:;,@!$*()~._-"),
        "interval": "1s",
        "unhealthyInterval": "200ms",
        "timeout": "2s",
        "followRedirects": False,
    }
    servers = [{"url": url} for url in backend.servers]
    return {"loadBalancer": {"serversTransport": _TRANSPORT, "healthCheck": health, "servers": servers}}


def place_name(place: Place) -> str:
    """Name of the place's weighted service and router. '_' is in no part, so that two places never share a name."""
    return f"{_part(place.environment)}_{_part(place.service)}"


def service_name(place: Place, release_id: str) -> str:
    """Name of a release's service, which Traefik's metrics carry as label `service` with '@file' behind it."""
    return f"{place_name(place)}_{_part(release_id)}"


def preview_name(place: Place) -> str:
    return f"{place_name(place)}__preview"


def _strip_name(place: Place) -> str:
    return f"{place_name(place)}__strip"


def _part(text: str) -> str:
    return slug(text.replace("_", "-")).lower()


def host_name(place: Place) -> str:
    return f"{_part(place.service)}.{_part(place.environment)}.localhost"


def direct_path(place: Place) -> str:
    return f"{DIRECT}/{_part(place.environment)}/{_part(place.service)}"


def file_name(place: Place) -> str:
    return f"{place_name(place)}.yml"


def served_wrongly(routing: Routing, raw: Mapping[str, Any]) -> str:
    """What Traefik does not serve yet of `routing`, in words; '' when it serves all of it and nothing else for the place.

    `raw` is the answer of Traefik's /api/rawdata, which lists the routers and services in use.
    """
    wanted = dynamic_config(routing).get("http", {})
    routers, services = raw.get("routers") or {}, raw.get("services") or {}
    for name, router in wanted.get("routers", {}).items():
        if problem := _router_differs(router, routers.get(f"{name}@{PROVIDER}")):
            return f"router {name} {problem}"
    for name, service in wanted.get("services", {}).items():
        if _essence(service) != _essence(services.get(f"{name}@{PROVIDER}") or {}):
            return f"service {name} is not the new one yet"
    ours = [name + end for name in (place_name(routing.place), preview_name(routing.place)) for end in ("", "_direct")]
    surplus = [name for name in ours if f"{name}@{PROVIDER}" in routers and name not in wanted.get("routers", {})]
    return f"router {surplus[0]} is still there" if surplus else ""


def _router_differs(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "is not there yet"
    if found.get("status") != "enabled":
        return f"is refused: {'; '.join(found.get('error') or [])}"
    same = (found.get("rule"), found.get("service")) == (wanted["rule"], wanted["service"])
    return "" if same else "is not the new one yet"


def _essence(service: Mapping[str, Any]) -> tuple[object, ...]:
    """What of a service decides where requests go."""
    weighted = (service.get("weighted") or {}).get("services") or []
    balancer = service.get("loadBalancer") or {}
    urls = tuple(server["url"] for server in balancer.get("servers") or [])
    return tuple((part["name"], part.get("weight", 1)) for part in weighted), urls
