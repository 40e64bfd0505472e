"""When a running release counts as broken."""

from __future__ import annotations

from pipelines.messages.deploy import ReleaseStatus, ReplicaStatus

PATIENCE = 3
"""Looks in a row that a replica may be not ready (a slow answer, a short restart of the host) before it counts."""


def broken(history: list[ReleaseStatus]) -> str:
    """Why the release is broken, or ''. `history`: looks at it, oldest first, about a second apart.

    A process that died counts at once: it will meet its users' requests again. Being slow to answer counts after PATIENCE looks.
    Replicas that are being added do not count: they get no traffic yet, and ENSURE_RELEASE fails when they do not become ready.
    """
    if not history:
        return ""
    for replica in _grown(history[-1]):
        if replica.restarts or not replica.alive:
            return f"replica {replica.name} crashed: {replica.reason or 'its process ended'}"
    return _never_ready(history[-PATIENCE:]) if len(history) >= PATIENCE else ""


def _grown(look: ReleaseStatus) -> list[ReplicaStatus]:
    return [replica for replica in look.replicas if not replica.starting]


def _never_ready(looks: list[ReleaseStatus]) -> str:
    for replica in _grown(looks[-1]):
        seen = [other.ready for look in looks for other in _grown(look) if other.name == replica.name]
        if len(seen) == len(looks) and not any(seen):
            return f"replica {replica.name} is not ready: {replica.reason or 'its readiness check fails'}"
    return ""
