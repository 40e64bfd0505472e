"""Which release a rollback returns to, and how."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.errors import Conflict, NotFound
from pipelines.messages.deploy import RollbackRequest, RolloutRequest, Served


def previous(served: Sequence[Served], to: str | None) -> Served:
    """The release named `to`, or the one before the stable one. `served` is newest first, the first one is stable.

    Raises NotFound, naming what there is, and Conflict when the named one is stable already.
    """
    known = ", ".join(entry.release.id for entry in served[1:]) or "none"
    if to is None:
        if len(served) < 2:
            raise NotFound("there is no earlier release to return to", f"Earlier releases: {known}")
        return served[1]
    if served and served[0].release.id == to:
        raise Conflict(f"{to} is the stable release already", f"Earlier releases: {known}")
    for entry in served[1:]:
        if entry.release.id == to:
            return entry
    raise NotFound(f"release {to} is not known here", f"Earlier releases: {known}")


def is_recent(target: Served, window: float, now: float) -> bool:
    """A release that served less than `window` seconds ago has proved itself: it is returned to without pauses."""
    return target.until is not None and now - target.until <= window


def request_for(target: Served, asked: RollbackRequest, number: int, now: float) -> RolloutRequest:
    """The rollback as a request of the environment itself. Asked twice with the same id, it is one."""
    return RolloutRequest(
        request_id=asked.request_id or f"rollback-{number}",
        release=target.release,
        spec=target.spec,
        policy="supersede",
        actor=asked.actor,
        reason=asked.reason or f"rollback to {target.release.id}",
        kind="rollback",
        fast=is_recent(target, asked.window, now),
    )
