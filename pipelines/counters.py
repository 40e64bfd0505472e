"""Request counters of a release as the router tells them, and how much they grew between two looks. Pure.

Counters only rise while the router's process lives. As Prometheus' `increase` has it, one that is smaller than before, or that
comes from a new process, was reset, and has grown from 0 since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from pydantic import Field

from pipelines.messages.common import Message

_ON_TIME = 0.8


class Counters(Message):
    """Totals of one release. `at` in Unix seconds; `process`: when the router's process started, Unix seconds.

    `codes`: requests by HTTP status; `buckets`: requests by upper bound of their duration in seconds, cumulative, '+Inf' is all;
    `seconds`: sum of the durations.
    """

    at: float = 0.0
    process: float = 0.0
    codes: dict[str, float] = Field(default_factory=dict)
    buckets: dict[str, float] = Field(default_factory=dict)
    seconds: float = 0.0

    @property
    def requests(self) -> float:
        return sum(self.codes.values())


class Growth(Message):
    """What happened between `start` and `end` (Unix seconds); the rest as in Counters."""

    start: float
    end: float
    codes: dict[str, float] = Field(default_factory=dict)
    buckets: dict[str, float] = Field(default_factory=dict)
    seconds: float = 0.0

    @property
    def requests(self) -> float:
        return sum(self.codes.values())

    @property
    def errors(self) -> float:
        """Answers of 500 and above: the service's fault."""
        return sum(count for code, count in self.codes.items() if code.startswith("5"))


def growth(looks: Sequence[Counters]) -> Growth | None:
    """From the first look to the last one, oldest first; None for fewer than two."""
    steps = [_step(before, after) for before, after in pairwise(looks)]
    return _sum(steps) if steps else None


def in_bins(looks: Sequence[Counters], width: float) -> list[Growth]:
    """Growth in stretches of about `width` seconds (at least 0.8 of it, since looks are not exactly on time), oldest first.

    What is left over at the end belongs to the last one.
    """
    bins: list[Growth] = []
    open_steps: list[Growth] = []
    for before, after in pairwise(looks):
        open_steps.append(_step(before, after))
        if after.at - open_steps[0].start >= _ON_TIME * width:
            bins.append(_sum(open_steps))
            open_steps = []
    if open_steps and bins:
        bins[-1] = _sum([bins[-1], *open_steps])
    elif open_steps:
        bins.append(_sum(open_steps))
    return bins


def _step(before: Counters, after: Counters) -> Growth:
    reset = after.process != before.process or after.requests < before.requests
    base = Counters() if reset else before
    return Growth(
        start=before.at,
        end=after.at,
        codes=_difference(base.codes, after.codes),
        buckets=_difference(base.buckets, after.buckets),
        seconds=max(0.0, after.seconds - base.seconds),
    )


def _difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """By key; a key that is missing afterwards has not grown, a smaller value was counted from 0."""
    grown = {key: value - before.get(key, 0.0) for key, value in after.items()}
    return {key: after[key] if change < 0 else change for key, change in grown.items()}


def _sum(steps: Sequence[Growth]) -> Growth:
    return Growth(
        start=steps[0].start,
        end=steps[-1].end,
        codes=_added(step.codes for step in steps),
        buckets=_added(step.buckets for step in steps),
        seconds=sum(step.seconds for step in steps),
    )


def _added(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, 0.0) + value
    return total
