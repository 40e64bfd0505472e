"""What a measurement gives: figures with their spread, and the arithmetic behind them. Times in milliseconds unless said."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Statistic = Literal["median", "p95", "p99", "value"]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed (nearest rank): one that was really measured.

    Raises ValueError when there are no values, or percent is not in (0, 100].
    """
    if not values:
        raise ValueError("no values")
    if not 0 < percent <= 100:
        raise ValueError(f"{percent} is not in (0, 100]")
    return sorted(values)[max(1, math.ceil(percent / 100 * len(values))) - 1]


def summary(values: Sequence[float], statistic: Statistic) -> float:
    """The one number for many. Raises ValueError when there are no values."""
    if statistic in ("p95", "p99"):
        return percentile(values, float(statistic[1:]))
    if not values:
        raise ValueError("no values")
    return statistics.median(values)


def differences(pairs: Sequence[tuple[float, float]]) -> list[float]:
    """Second minus first, pair by pair: what disturbs the whole machine disturbs both of a pair."""
    return [second - first for first, second in pairs]


@dataclass(frozen=True)
class Figure:
    """`samples` in `unit`; `goal` is a bound that `statistic` must not exceed, or (`at_least`) must reach."""

    group: str
    name: str
    unit: str
    samples: list[float]
    statistic: Statistic = "median"
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def value(self) -> float:
        return summary(self.samples, self.statistic)

    @property
    def met(self) -> bool | None:
        """None when there is no goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def as_json(self) -> dict[str, Any]:
        ranks = {"q1": 25, "median": 50, "q3": 75, "p95": 95, "p99": 99}
        spread = {name: percentile(self.samples, rank) for name, rank in ranks.items()}
        spread |= {"min": min(self.samples), "max": max(self.samples)}
        rounded = {name: round(value, 3) for name, value in spread.items()}
        plain = asdict(self) | {"samples": [round(sample, 3) for sample in self.samples]}
        return {**plain, "value": round(self.value, 3), "met": self.met, "n": len(self.samples), **rounded}


@dataclass
class Report:
    """A whole run. `date` in ISO 8601; `machine` and `versions` are names and values in words; `loads` are the load averages
    when each measurement began: what others did on the machine, and what the measurement before has left."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    loads: dict[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        figures = [figure.as_json() for figure in self.figures]
        return {**asdict(self), "figures": figures}

    def as_markdown(self) -> str:
        head = [
            f"Measured {self.date}.",
            "",
            *_facts("Machine", self.machine),
            *_facts("Versions", self.versions),
            *_facts("Load average before", self.loads),
        ]
        failed = [f"- **{name}** could not be measured: {why}" for name, why in self.failures.items()]
        return "\n".join([*head, "", *_table(self.figures), *([""] if failed else []), *failed, "", *_notes(self.figures), ""])


def _facts(title: str, facts: dict[str, str]) -> list[str]:
    return [f"- {title}: " + ", ".join(f"{name} {value}" for name, value in facts.items())]


def _table(figures: Sequence[Figure]) -> list[str]:
    head = "| what | figure | half of them between | n | goal | met |"
    return [head, "|---|---:|---:|---:|---:|---|", *(_row(figure) for figure in figures)]


def _row(figure: Figure) -> str:
    goal = "" if figure.goal is None else f"{'≥' if figure.at_least else '≤'} {number(figure.goal)} {figure.unit}"
    met = {None: "", True: "yes", False: "**no**"}[figure.met]
    spread = " – ".join(number(percentile(figure.samples, rank)) for rank in (25, 75))
    kind = "" if figure.statistic == "value" else f" {figure.statistic}"
    name = f"{figure.group}: {figure.name}"
    return f"| {name} | {number(figure.value)} {figure.unit}{kind} | {spread} | {len(figure.samples)} | {goal} | {met} |"


def _notes(figures: Sequence[Figure]) -> list[str]:
    """Each note once, with the names that it is about."""
    about: dict[str, list[str]] = {}
    for figure in figures:
        if figure.note:
            about.setdefault(figure.note, []).append(f"{figure.group}: {figure.name}")
    return [f"- {'; '.join(names)}. {note}" for note, names in about.items()]


def number(value: float) -> str:
    """Three significant digits, and no more places than that leaves."""
    if value == 0:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(places, 3)}f}"
