"""One rollout: its view, and how stable and candidate release did while it went on, for charts."""

from __future__ import annotations

import time

from fastapi import APIRouter
from pydantic import Field

from pipelines.builtin_metrics import value
from pipelines.counters import Counters, Growth, in_bins
from pipelines.errors import NotFound
from pipelines.messages.common import Message
from pipelines.messages.runs import RolloutView
from starter.api.refs import ROLLOUT
from starter.api.site import Site, TheSite
from starter.records import LateRecords

MOST_POINTS = 240
LEAD_SECONDS = 30.0
"""Shown of the time before the first weight and after the last."""
router = APIRouter()


class Point(Message):
    """What the proxy counted between `since` and `until` (Unix seconds). `rate` in requests a second, `error_rate` 0..1,
    latencies in seconds; None where no request says anything."""

    since: float
    until: float
    requests: float
    errors: float
    rate: float | None = None
    error_rate: float | None = None
    p50: float | None = None
    p95: float | None = None


class RolloutReport(Message):
    """`series` by track: stable and candidate."""

    view: RolloutView
    series: dict[str, list[Point]] = Field(default_factory=dict)


@router.get(ROLLOUT)
async def show(site: TheSite, ref: str) -> RolloutReport:
    view = await site.rollouts.of(ref)
    return RolloutReport(view=view, series=await measured(site, view))


async def measured(site: Site, view: RolloutView) -> dict[str, list[Point]]:
    """By track what the samples of the rollout's time show; empty when nothing was recorded yet."""
    releases = {"stable": view.stable_id, "candidate": view.candidate.id}
    since, until = window(view, time.time())

    def read(late: LateRecords) -> dict[str, list[Point]]:
        return {track: _points(late, view, name, since, until) for track, name in releases.items() if name}

    try:
        return await site.read(read)
    except NotFound:
        return {}


def window(view: RolloutView, now: float) -> tuple[float, float]:
    """From shortly before the first weight to now, or to shortly after the last weight of a rollout that has ended."""
    if not view.weights:
        return now - LEAD_SECONDS, now
    last = max(view.weights[-1].at, view.verdicts[-1].at if view.verdicts else 0.0)
    return view.weights[0].at - LEAD_SECONDS, min(now, last + LEAD_SECONDS) if view.status == "done" else now


def _points(late: LateRecords, view: RolloutView, release: str, since: float, until: float) -> list[Point]:
    samples = late.records.samples.between(view.candidate.place.key, since, until, release)
    looks = [Counters(**{**sample.payload, "at": sample.at}) for sample in samples]
    return [point(each) for each in in_bins(looks, max(1.0, (until - since) / MOST_POINTS))]


def point(grown: Growth) -> Point:
    return Point(
        since=grown.start,
        until=grown.end,
        requests=grown.requests,
        errors=grown.errors,
        rate=value("request-rate", grown),
        error_rate=value("error-rate", grown),
        p50=value("latency-p50", grown),
        p95=value("latency-p95", grown),
    )
