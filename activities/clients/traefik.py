"""Traefik as router: one route file per place in the folder that Traefik watches.

The file is the state: written whole in one step, re-read before each change, checked against what Traefik says it serves.
Somebody may edit it by hand: that is noticed and told, and what it really says is what counts until the next change.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import yaml

from activities.base import heartbeat
from activities.clients.addresses import Addresses
from activities.clients.connections import open_connections
from activities.clients.files import locked, write_whole
from activities.clients.traefik_api import TraefikApi
from pipelines.errors import Conflict, Unavailable
from pipelines.messages.deploy import Place, Routed, RouteInput
from pipelines.routefile import RouteFile, parse, render, unreadable
from pipelines.traefik import BASE_FILE, Backend, Routing, base_config, file_name, served_wrongly

_LOG = logging.getLogger(__name__)
_LOOK = 0.02
_QUIET_LOOKS = 3
"""Looks in a row without an open connection: a request that was routed just before the switch may not have connected yet."""


class TraefikRouter:
    """`routes`: the watched folder; `patience`: seconds until what Traefik does not serve counts as Unavailable."""

    def __init__(self, routes: Path, api: TraefikApi, addresses: Addresses, patience: float = 10.0) -> None:
        self._routes = routes
        self._api = api
        self._addresses = addresses
        self._patience = patience

    def prepare(self, place: Place) -> list[str]:
        self._api.ping()
        with self._locked(place):
            self._write_base()
        facts = [f"router: Traefik {self._api.version()}, routes in {self._routes}"]
        return facts + self._notes(self._read(place), place)

    def route(self, wanted: RouteInput, backends: Mapping[str, Backend]) -> Routed:
        with self._locked(wanted.place):
            found = self._read(wanted.place)
            _check_revision(wanted, found.routing)
            named = {*(release for release, weight in wanted.weights.items() if weight), *filter(None, [wanted.preview])}
            routing = Routing(
                place=wanted.place,
                weights=wanted.weights,
                preview=wanted.preview,
                revision=wanted.revision,
                rollout=wanted.rollout,
                backends={release: backends[release] for release in sorted(named)},
            )
            notes = self._notes(found, wanted.place)
            self._apply(routing)
        return self._routed(parse(render(routing)), wanted.place, notes)

    def current(self, place: Place) -> Routed:
        found = self._read(place)
        return self._routed(found, place, self._notes(found, place))

    def serve(self, place: Place, release_id: str, backend: Backend | None) -> None:
        with self._locked(place):
            found = self._read(place)
            routing = found.routing
            if routing is None or routing.backends.get(release_id) == backend or release_id not in routing.backends:
                return
            gets = found.weights.get(release_id, 0) > 0 or routing.preview == release_id
            if gets and not (backend and backend.servers):
                raise Conflict(f"{release_id} still gets traffic in {place.key}", "Route the traffic elsewhere first")
            for note in self._notes(found, place):
                _LOG.warning("%s", note)
            kept = {name: known for name, known in routing.backends.items() if name != release_id}
            backends = {**kept, release_id: backend} if backend else kept
            self._apply(routing.model_copy(update={"backends": backends}))

    def drain(self, servers: list[str], patience: float) -> int:
        ports = [int(server.rpartition(":")[2]) for server in servers]
        deadline = time.monotonic() + patience
        quiet = 0
        while True:
            counts = open_connections()
            left = sum(counts[port] for port in ports)
            quiet = 0 if left else quiet + 1
            if quiet >= _QUIET_LOOKS or time.monotonic() >= deadline:
                return left
            heartbeat()
            time.sleep(_LOOK)

    def address(self, place: Place, preview: bool = False) -> str:
        return self._addresses.of(place, preview)

    def _apply(self, routing: Routing) -> None:
        self._write_base()
        path = self._routes / file_name(routing.place)
        text = render(routing)
        if not path.exists() or path.read_text() != text:
            write_whole(path, text, partial=self._hidden)
        self._until_served(routing)

    def _until_served(self, routing: Routing) -> None:
        deadline = time.monotonic() + self._patience
        while problem := served_wrongly(routing, self._api.raw()):
            if time.monotonic() > deadline:
                raise Unavailable(f"the proxy does not serve {routing.place.key} yet: {problem}", self._remedy())
            heartbeat()
            time.sleep(_LOOK)

    def _remedy(self) -> str:
        if path := unreadable(self._routes):
            return f"{path} is not valid YAML, which keeps the proxy from reading any of them: mend or remove it"
        return f"See the proxy's log; it must watch {self._routes}"

    def _write_base(self) -> None:
        path, text = self._routes / BASE_FILE, yaml.safe_dump(base_config())
        if not path.exists() or path.read_text() != text:
            write_whole(path, text, partial=self._hidden)

    def _read(self, place: Place) -> RouteFile:
        try:
            return parse((self._routes / file_name(place)).read_text())
        except FileNotFoundError:
            return RouteFile()

    def _notes(self, found: RouteFile, place: Place) -> list[str]:
        if not found.edited:
            return []
        last = f"revision {found.routing.revision} of {found.routing.rollout or 'no rollout'}" if found.routing else "unknown"
        weights = ", ".join(f"{release} {weight}" for release, weight in found.weights.items()) or "nothing"
        name = self._routes / file_name(place)
        return [f"{name} was changed by somebody else since it was written ({last}); it routed: {weights}"]

    def _routed(self, found: RouteFile, place: Place, notes: list[str]) -> Routed:
        return Routed(
            weights=found.weights,
            address=self._addresses.of(place),
            preview_address=self._addresses.of(place, preview=True) if found.preview else "",
            preview=found.routing.preview if found.routing and found.preview else None,
            notes=notes,
        )

    @property
    def _hidden(self) -> Path:
        """Traefik looks into folders too, but only for its own file types."""
        return self._routes / ".partial"

    def _locked(self, place: Place) -> AbstractContextManager[int]:
        return locked(self._hidden / f"{file_name(place)}.lock", f"the routes of {place.key}")


def _check_revision(wanted: RouteInput, present: Routing | None) -> None:
    if present and wanted.rollout and present.rollout == wanted.rollout and present.revision > wanted.revision:
        raise Conflict(f"revision {wanted.revision} of {wanted.rollout} is older than {present.revision}, which is routed")
