"""The route file of a place: what Traefik reads, and what it was made from, in one text: neither exists without the other."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
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


def texts(folder: Path) -> dict[Path, str]:
    """What Traefik reads in the folder that it watches, in the order of the names."""
    found = {}
    for path in sorted(folder.glob("*.y*ml")):
        with contextlib.suppress(FileNotFoundError):
            found[path] = path.read_text()
    return found


def unreadable(folder: Path) -> Path | None:
    """The first file that is not valid YAML: Traefik takes no change at all while there is one."""
    for path, text in texts(folder).items():
        try:
            yaml.safe_load(text)
        except yaml.YAMLError:
            return path
    return None


def router_names(text: str) -> list[str]:
    """Names of the routers that Traefik takes from a file of this text; none when it cannot be read."""
    return [f"{name}@{PROVIDER}" for name in _section(text, "routers")]


def _services(body: str) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in _section(body, "services").items() if isinstance(service, dict)}


def _section(text: str, name: str) -> dict[str, Any]:
    """Routers or services by name; {} when the text has none, or is no configuration at all."""
    try:
        return {str(key): body for key, body in yaml.safe_load(text)["http"][name].items()}
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        return {}
