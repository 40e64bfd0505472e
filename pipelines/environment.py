"""Which release a rollback returns to, and how; what is recorded of a rollout."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.errors import Conflict, NotFound
from pipelines.messages.deploy import Release, RollbackRequest, RolloutRequest, Served
from pipelines.messages.notify import DeploymentRecord

RETURNABLE = 20
"""Releases that an environment remembers and can return to; retention keeps their artifacts."""


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


def deployment_record(
    request: RolloutRequest,
    key: str,
    stable: Release | None,
    status: str,
    reason: str,
    started_at: float,
    finished_at: float | None = None,
) -> DeploymentRecord:
    """`key`: the rollout's workflow id; times in Unix seconds, `finished_at` None as long as it is under way."""
    release = request.release
    return DeploymentRecord(
        key=key,
        environment=release.place.environment,
        service=release.place.service,
        release_id=release.id,
        digest=release.artifact.digest,
        version=release.version,
        sha=release.sha,
        run_id=release.run_id,
        strategy=request.spec.strategy,
        status=status,
        reason=reason,
        started_at=started_at,
        finished_at=finished_at,
        committed_at=request.committed_at,
        previous=stable.id if stable else "",
        release_json=release.model_dump_json(),
        rollback=request.kind == "rollback",
    )
