"""Traefik's own metrics by release, kept as samples, so that what happened can be told although worker or proxy have changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol

from prometheus_client.parser import text_string_to_metric_families

from activities.clients.traefik_api import TraefikApi
from activities.records.samples import Sample
from pipelines.counters import Counters
from pipelines.messages.deploy import Place
from pipelines.traefik import PROVIDER, service_name

_REQUESTS = "traefik_service_requests_total"
_DURATION = "traefik_service_request_duration_seconds"
_STARTED = "process_start_time_seconds"
_DENSE = 300.0
_SPARSE = 10.0


class Samples(Protocol):
    """What is needed of the records."""

    def store_all(self, samples: list[Sample]) -> None: ...

    def between(self, place: str, since: float, until: float | None = None, release_id: str | None = None) -> list[Sample]: ...

    def last_before(self, place: str, release_id: str, at: float) -> Sample | None: ...


class ProxyMetrics:
    def __init__(self, api: TraefikApi, samples: Samples) -> None:
        self._api = api
        self._samples = samples
        self._last: dict[str, float] = {}

    def sample(self, place: Place, releases: Sequence[str]) -> None:
        """Read the counters now and keep them; a release that Traefik does not know yet has counted nothing.

        Raises Unavailable.
        """
        now = time.time()
        found = read(self._api.metrics(), now)
        samples = []
        for release in releases:
            counters = found.get(f"{service_name(place, release)}@{PROVIDER}") or found[""]
            samples.append(Sample(place=place.key, release_id=release, at=now, payload=counters.model_dump(exclude={"at"})))
        self._samples.store_all(samples)
        self._last[place.key] = now

    def looks(self, place: Place, release: str, since: float, until: float) -> list[Counters]:
        """The counters from the last ones at or before `since` on, up to `until` (Unix seconds), oldest first."""
        first = self._samples.last_before(place.key, release, since)
        later = self._samples.between(place.key, since, until, release)
        kept = [first] if first and (not later or first.at < later[0].at) else []
        return [Counters(**{**sample.payload, "at": sample.at}) for sample in [*kept, *later]]

    def on_look(self, place: Place, watched: float, releases: Sequence[str]) -> None:
        """Sample while a release is watched: about every second at first, more rarely when that has gone on for long."""
        pause = min(_SPARSE, max(0.9, watched / _DENSE))
        if releases and time.time() - self._last.get(place.key, 0.0) >= pause:
            self.sample(place, releases)


def read(text: str, at: float) -> dict[str, Counters]:
    """Counters by Traefik's service name; '' holds those of a service that has counted nothing."""
    raw: dict[str, dict[str, Any]] = {}
    process = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == _STARTED:
                process = sample.value
            elif sample.name.startswith((_REQUESTS, _DURATION)):
                _count(raw.setdefault(sample.labels["service"], {"codes": {}, "buckets": {}, "seconds": 0.0}), sample)
    empty = Counters(at=at, process=process)
    return {"": empty, **{name: Counters(at=at, process=process, **found) for name, found in raw.items()}}


def _count(found: dict[str, Any], sample: Any) -> None:
    """Methods and protocols are added up; so are the durations of all answers, whatever their status."""
    if sample.name == _REQUESTS:
        _add(found["codes"], sample.labels["code"], sample.value)
    elif sample.name == f"{_DURATION}_bucket":
        _add(found["buckets"], sample.labels["le"], sample.value)
    elif sample.name == f"{_DURATION}_sum":
        found["seconds"] += sample.value


def _add(counts: dict[str, float], key: str, value: float) -> None:
    counts[key] = counts.get(key, 0.0) + value
