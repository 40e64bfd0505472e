"""Measurements as the metrics providers deliver them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.measurement import Measured, TrackMeasured

Series = Mapping[str, Sequence[float | None]]


def track(series: Series, requests: int = 1000, values: Mapping[str, float | None] | None = None) -> TrackMeasured:
    """The `values`, if not given, are the last points of the series."""
    last = {name: points[-1] if points else None for name, points in series.items()}
    return TrackMeasured(
        release_id="r",
        values=dict(values) if values is not None else last,
        series={name: list(points) for name, points in series.items()},
        requests=requests,
    )


def measured(candidate: TrackMeasured, stable: TrackMeasured | None) -> Measured:
    return Measured(start=0.0, end=60.0, step=1.0, candidate=candidate, stable=stable)
