"""The four key figures of DORA's "State of DevOps" research, from the rollouts of a window of time.

Deployment frequency, lead time for changes, change failure rate, and time to restore service; as defined in Forsgren, Humble and
Kim, "Accelerate" (2018), and on dora.dev. Medians rather than means: one forgotten branch must not move a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from pydantic import Field

from pipelines.messages.common import Message
from pipelines.messages.notify import DeploymentRecord

DAY = 86400.0
_FAILED = ("rolled-back", "failed")


class Dora(Message):
    """Of one service in one environment. Times in seconds; None where nothing was there to measure."""

    environment: str
    service: str
    days: float
    deployments: int = Field(description="changes that took all traffic; the way back is not one")
    per_day: float
    lead_time: float | None = Field(description="median, from commit to all traffic")
    failures: int = Field(description="changes that were rolled back, on the way or afterwards, or failed")
    failure_rate: float | None = Field(description="0..1, failures among all changes that met traffic")
    restore_time: float | None = Field(
        description="median, from the failed change (its start, or its end once promoted) to stable"
    )


def dora(records: Iterable[DeploymentRecord], days: float) -> list[Dora]:
    """Figures by environment and service, in that order. `records` are all rollouts that ended in the last `days` days."""
    by_place: dict[tuple[str, str], list[DeploymentRecord]] = {}
    for record in records:
        if record.finished_at is not None:
            by_place.setdefault((record.environment, record.service), []).append(record)
    return [_figures(place, found, days) for place, found in sorted(by_place.items())]


def _figures(place: tuple[str, str], records: Sequence[DeploymentRecord], days: float) -> Dora:
    changes = [record for record in records if not record.rollback]
    promoted = [record for record in changes if record.status == "promoted"]
    turned_back = [record for record in changes if record.status in _FAILED]
    undone = {record.key: back for record in promoted if (back := _undoing(record, records))}
    failures = len(turned_back) + len(undone)
    met_traffic = len(promoted) + len(turned_back)
    leads = [_end(record) - record.committed_at for record in promoted if record.committed_at]
    return Dora(
        environment=place[0],
        service=place[1],
        days=days,
        deployments=len(promoted),
        per_day=len(promoted) / days,
        lead_time=median(leads) if leads else None,
        failures=failures,
        failure_rate=failures / met_traffic if met_traffic else None,
        restore_time=_restore(turned_back, promoted, undone),
    )


def _undoing(change: DeploymentRecord, records: Sequence[DeploymentRecord]) -> DeploymentRecord | None:
    """The first promoted rollback away from the change's release after it had all the traffic."""
    away = [record for record in records if record.rollback and record.previous == change.release_id]
    backs = [record for record in away if record.status == "promoted" and _end(record) > _end(change)]
    return min(backs, key=_end, default=None)


def _restore(
    turned_back: Sequence[DeploymentRecord], promoted: Sequence[DeploymentRecord], undone: dict[str, DeploymentRecord]
) -> float | None:
    times = [_end(record) - record.started_at for record in turned_back]
    times += [_end(undone[record.key]) - _end(record) for record in promoted if record.key in undone]
    return median(times) if times else None


def _end(record: DeploymentRecord) -> float:
    return record.started_at if record.finished_at is None else record.finished_at
