"""The route file of a place: what Traefik reads, and what it was made from, in one text: neither exists without the other."""

from __future__ import annotations

import json
from typing import Any

import yaml
from pydantic import ValidationError

from pipelines.messages.common import Message
from pipelines.traefik import PROVIDER, Routing, dynamic_config, place_name, preview_name

_HEAD = "# switchyard "


class RouteFile(Message):
    """`routing`: what the file was made from, None when somebody else wrote it. `edited`: what Traefik reads of it is not what
    it was made from. `weights` (percent by release) and `preview` are what it really says."""

    routing: Routing | None = None
    edited: bool = False
    weights: dict[str, int] = {}
    preview: bool = False


def render(routing: Routing) -> str:
    """The file's text. Traefik expands Go templates in it, so no value may contain an opening '{{'; and YAML allows no control
    characters, not even in a comment."""
    made_from = json.dumps(routing.model_dump(mode="json")).replace("{{", "\\u007b\\u007b").replace("\x7f", "\\u007f")
    body = dynamic_config(routing)
    text = yaml.safe_dump(body, sort_keys=False).replace("{{", "{ {") if body else ""
    return f"{_HEAD}{made_from}\n{text}"


def parse(text: str) -> RouteFile:
    """Whatever the file has become; one that cannot be read at all counts as edited and routes nothing."""
    head, _, rest = text.partition("\n")
    routing = _made_from(head)
    edited = routing is None or render(routing) != text
    if routing is not None and not edited:
        weights = {release: weight for release, weight in routing.weights.items() if weight > 0}
        return RouteFile(routing=routing, weights=weights, preview=routing.preview is not None)
    return _as_it_is(routing, rest if routing else text)


def _made_from(head: str) -> Routing | None:
    if not head.startswith(_HEAD):
        return None
    try:
        return Routing.model_validate(json.loads(head.removeprefix(_HEAD)))
    except (ValueError, ValidationError):
        return None


def _as_it_is(routing: Routing | None, body: str) -> RouteFile:
    services = _services(body)
    prefix = f"{place_name(routing.place)}_" if routing else ""
    weighted = [service["weighted"].get("services") or [] for service in services.values() if "weighted" in service]
    weights = {str(part["name"]).removeprefix(prefix): int(part.get("weight", 1)) for parts in weighted for part in parts}
    preview = routing is not None and preview_name(routing.place) in services
    return RouteFile(routing=routing, edited=True, weights=weights, preview=preview)


def router_names(text: str) -> list[str]:
    """Names of the routers that Traefik takes from a file of this text; none when it cannot be read."""
    try:
        found = yaml.safe_load(text)
        return [f"{name}@{PROVIDER}" for name in found["http"]["routers"]]
    except (yaml.YAMLError, TypeError, KeyError):
        return []


def readable(text: str) -> bool:
    """Traefik takes no change at all while one file of its folder is not valid YAML."""
    try:
        yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    return True


def _services(body: str) -> dict[str, dict[str, Any]]:
    try:
        found = yaml.safe_load(body)
        services = found["http"]["services"]
        return {str(name): service for name, service in services.items() if isinstance(service, dict)}
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        return {}
