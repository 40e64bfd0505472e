"""What was measured of a candidate and of the stable release, before anybody judges it. Pure."""

from __future__ import annotations

from pydantic import Field

from pipelines.messages.common import Message

MOST_POINTS = 60


class TrackMeasured(Message):
    """One release in one window. `values` and `series` (oldest first) by metric name, None where there is no data; `requests`
    are those it has answered."""

    release_id: str
    values: dict[str, float | None] = Field(default_factory=dict)
    series: dict[str, list[float | None]] = Field(default_factory=dict)
    requests: int = 0


class Measured(Message):
    """`start` and `end` in Unix seconds, `step`: seconds between points of the series."""

    start: float
    end: float
    step: float
    candidate: TrackMeasured
    stable: TrackMeasured | None = None


def step_of(start: float, end: float) -> float:
    """Seconds between points: one where that gives at most 60 of them."""
    return max(1.0, (end - start) / MOST_POINTS)
