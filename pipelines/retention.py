"""Which artifacts nobody needs any more. Pure; whatever is in doubt stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from pipelines.environment import RETURNABLE
from pipelines.messages.artifacts import StoredArtifact
from pipelines.messages.common import ArtifactRef
from pipelines.messages.notify import DeploymentRecord
from pipelines.messages.quality import RetentionInput

_ELSEWHERE = ("image",)
"""Kinds whose bytes are in a registry, with a retention of its own."""


def needed_by_environments(deployments: Iterable[DeploymentRecord], returnable: int = RETURNABLE) -> set[str]:
    """Digests of what any place runs, may be running after an unfinished or failed rollout, or could return to."""
    places: dict[tuple[str, str], list[DeploymentRecord]] = defaultdict(list)
    for record in deployments:
        places[record.environment, record.service].append(record)
    return {digest for records in places.values() for digest in _needed_by(records, returnable)}


def _needed_by(records: list[DeploymentRecord], returnable: int) -> set[str]:
    """Of one place. The newest rollout counts however it ended: its candidate may have been left with traffic."""
    newest_first = sorted(records, key=lambda record: record.started_at, reverse=True)
    needed = {newest_first[0].digest}
    releases: dict[str, str] = {}
    for record in newest_first:
        if record.finished_at is None:
            needed.add(record.digest)
        if record.status == "promoted":
            releases.setdefault(record.release_id, record.digest)
    return needed | set(list(releases.values())[:returnable])


def removable(
    artifacts: Sequence[StoredArtifact],
    deployments: Iterable[DeploymentRecord],
    policy: RetentionInput,
    now: float,
    unfinished_runs: Collection[str] = (),
    returnable: int = RETURNABLE,
) -> list[ArtifactRef]:
    """The artifacts to remove, each digest once, sorted.

    What stays: what environments need; what was made or used less than `min_age` seconds ago; the newest `keep_last` of each
    repository, name and kind; what a run that has not ended has made; images; and what describes any of these (its SBOM).
    """
    kept = needed_by_environments(deployments, returnable)
    kept |= {item.ref.digest for item in artifacts if _in_use(item, policy.min_age, now, unfinished_runs)}
    kept |= _newest(artifacts, policy.keep_last)
    kept = _with_descriptions(artifacts, kept)
    gone = {item.ref.digest: item.ref for item in artifacts if item.ref.digest not in kept}
    return [gone[digest] for digest in sorted(gone)]


def _in_use(item: StoredArtifact, min_age: float, now: float, unfinished_runs: Collection[str]) -> bool:
    young = now - max(item.metadata.created_at, item.used_at) < min_age
    return young or item.metadata.run_id in unfinished_runs or item.ref.kind in _ELSEWHERE


def _newest(artifacts: Sequence[StoredArtifact], keep_last: int) -> set[str]:
    groups: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for item in sorted(artifacts, key=lambda item: item.metadata.created_at, reverse=True):
        groups[item.metadata.repo, item.ref.name, item.ref.kind].setdefault(item.ref.digest)
    return {digest for group in groups.values() for digest in list(group)[: max(0, keep_last)]}


def _with_descriptions(artifacts: Sequence[StoredArtifact], kept: set[str]) -> set[str]:
    about: dict[str, set[str]] = defaultdict(set)
    for item in artifacts:
        if item.metadata.describes:
            about[item.metadata.describes].add(item.ref.digest)
    found, fresh = set(kept), set(kept)
    while fresh:
        fresh = {digest for subject in fresh for digest in about[subject]} - found
        found |= fresh
    return found
