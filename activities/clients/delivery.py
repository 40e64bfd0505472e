"""What a delivery target and a router are to the activities: one file per provider, chosen by `Place.target`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from pipelines.errors import SettingsError
from pipelines.messages.deploy import (
    EnsureInput,
    Place,
    PrepareInput,
    ReleaseStatus,
    RetireInput,
    Routed,
    RouteInput,
)
from pipelines.traefik import Backend

T = TypeVar("T")


class Target(Protocol):
    """Where releases run. All methods can be repeated, also after having been killed half way."""

    def prepare(self, wanted: PrepareInput) -> list[str]:
        """Facts about the target, one line each. Raises NotFound for a missing artifact, Unavailable."""
        ...

    def ensure(self, wanted: EnsureInput) -> ReleaseStatus:
        """Exactly the wanted number of ready replicas. Raises ReleaseUnhealthy with the reason, Busy, Unavailable."""
        ...

    def inspect(self, place: Place, release_id: str) -> ReleaseStatus:
        """The replicas as they are now; without replicas when the target does not know the release."""
        ...

    def backend(self, place: Place, release_id: str) -> Backend:
        """Where the release answers. Raises ReleaseUnhealthy when none of its replicas is ready."""
        ...

    def retire(self, wanted: RetireInput) -> None:
        """Stop and remove; nothing when it is gone already. Raises Busy, Unavailable."""
        ...


class Router(Protocol):
    """What sends requests to releases."""

    def prepare(self, place: Place) -> list[str]:
        """Facts about the router, one line each. Raises Unavailable when it does not answer."""
        ...

    def route(self, wanted: RouteInput, backends: Mapping[str, Backend]) -> Routed:
        """Returns when the data plane serves it. Raises Conflict for a revision that is older than the present one."""
        ...

    def current(self, place: Place) -> Routed:
        """What is routed now, whoever wrote it."""
        ...

    def serve(self, place: Place, release_id: str, backend: Backend | None) -> None:
        """The release's replicas are others now (None: it has none). Returns when the data plane serves it; nothing to do
        where the release is not routed. Raises Conflict when a release that gets traffic would have no replica left."""
        ...

    def drain(self, servers: list[str], patience: float) -> int:
        """Wait until no request is open on these servers, at most `patience` seconds; how many connections are left."""
        ...

    def address(self, place: Place, preview: bool = False) -> str:
        """Base URL of the service that any program on this host can use."""
        ...


def choose(providers: Mapping[str, T], place: Place, what: str) -> T:
    """The provider for the place's target. Raises SettingsError when this installation has none."""
    if place.target in providers:
        return providers[place.target]
    known = ", ".join(providers) or "none"
    raise SettingsError(
        f"{place.key} is to run on target '{place.target}', for which no {what} is configured here (configured: {known})",
        "Set 'target: local' in the stage's release",
    )
