"""Rules of live traffic, checked over everything that one rollout had done in its world, in the order it happened."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.messages.deploy import Place, Release
from pipelines.ports import ENSURE_RELEASE, RETIRE_RELEASE, ROUTE
from tests.support.fakes import Call, World

_MOVING = (ENSURE_RELEASE, RETIRE_RELEASE, ROUTE)


def broken_rules(world: World, place: Place, stable: Release | None) -> list[str]:
    """One line per rule that was broken; [] when all was well. The world began with `stable` having all the traffic."""
    replicas = {stable.id: stable.replicas} if stable else {}
    weights = {stable.id: 100} if stable else {}
    found = list(world.cluster.wrongs)
    preview: str | None = None
    routes: list[dict[str, int]] = []
    for call in _done(world, place):
        if call.port == ENSURE_RELEASE:
            replicas[call.arg.release.id] = call.arg.replicas
        elif call.port == ROUTE:
            weights, preview = dict(call.arg.weights), call.arg.preview
            routes.append(weights)
            found += _of_route(weights, preview, replicas)
        else:
            found += _of_removal(call.arg.release_id, weights, preview)
            replicas.pop(call.arg.release_id, None)
        found += [f"{name} has traffic and no replica" for name, weight in weights.items() if weight and not replicas.get(name)]
    return found + _of_turning_back(routes, stable.id if stable else None)


def _done(world: World, place: Place) -> Iterator[Call]:
    """What was really moved, in the order in which it was finished."""
    done = [call for call in world.calls if call.port in _MOVING and call.outcome == "done" and _place(call) == place]
    yield from sorted(done, key=lambda call: call.ended or 0)


def _place(call: Call) -> Place:
    place: Place = call.arg.release.place if call.port == ENSURE_RELEASE else call.arg.place
    return place


def _of_route(weights: dict[str, int], preview: str | None, replicas: dict[str, int]) -> list[str]:
    found = [] if sum(weights.values()) in (0, 100) else [f"weights do not sum to 100: {weights}"]
    named = [*weights, *([preview] if preview else [])]
    return found + [f"{name} is routed without a replica" for name in named if not replicas.get(name)]


def _of_removal(release: str, weights: dict[str, int], preview: str | None) -> list[str]:
    return [f"{release} was removed with {weights.get(release)} % of the traffic, preview {preview}"] * (
        bool(weights.get(release)) or preview == release
    )


def _of_turning_back(routes: list[dict[str, int]], first: str | None) -> list[str]:
    """A candidate's share, once it fell, never rises again in the same rollout. `first`: who had the traffic at the beginning."""
    found, fallen = [], set[str]()
    shares = {first: 100} if first else {}
    for weights in routes:
        for name in {*shares, *weights} - {first}:
            before, now = shares.get(name, 0), weights.get(name, 0)
            if now < before:
                fallen.add(name)
            elif now > before and name in fallen:
                found.append(f"{name} got {now} % after its share had fallen")
        shares = weights
    return found
