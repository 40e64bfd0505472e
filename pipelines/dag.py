"""Directed acyclic graphs of names. A graph maps each name to the names that it needs; order of keys is order of declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.errors import SpecError

Graph = Mapping[str, Iterable[str]]


def topological(needs: Graph) -> list[str]:
    """All names, each after what it needs; among those that could come next, the one declared first (Kahn's algorithm).

    Needs that are not names of the graph are left aside. Raises SpecError that shows a cycle.
    """
    waiting = {name: {need for need in wanted if need in needs} for name, wanted in needs.items()}
    order: list[str] = []
    while waiting:
        following = next((name for name, wanted in waiting.items() if not wanted), None)
        if following is None:
            raise SpecError(f"stages need each other in a circle: {' -> '.join(cycles(needs)[0])}", "Remove one of these needs")
        order.append(following)
        del waiting[following]
        for wanted in waiting.values():
            wanted.discard(following)
    return order


def transitive(needs: Graph) -> dict[str, list[str]]:
    """Per name everything that it needs, directly or not, in topological order. Raises SpecError on a cycle."""
    order = topological(needs)
    found: dict[str, set[str]] = {}
    for name in order:
        direct = [need for need in needs[name] if need in needs]
        found[name] = {*direct, *(further for need in direct for further in found[need])}
    place = {name: index for index, name in enumerate(order)}
    return {name: sorted(found[name], key=place.__getitem__) for name in needs}


def cycles(needs: Graph) -> list[list[str]]:
    """One cycle for each knot of names that need each other, its first name repeated at the end; [] when there is none."""
    known: set[str] = set()
    found = []
    for name in needs:
        if name in known:
            continue
        path = _way_back(needs, name)
        if path:
            found.append(path)
            known.update(_knot(needs, name))
    return found


def _way_back(needs: Graph, start: str) -> list[str]:
    """The shortest way from a name over its needs back to itself, or []."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for need in needs[way[-1]]:
            if need == start:
                return [*way, start]
            if need in needs and need not in seen:
                seen.add(need)
                ways.append([*way, need])
    return []


def _reach(needs: Graph, start: str) -> set[str]:
    reached: list[str] = [start]
    for name in reached:
        reached += [need for need in dict.fromkeys(needs[name]) if need in needs and need not in reached]
    return set(reached)


def _knot(needs: Graph, start: str) -> set[str]:
    """The strongly connected component of a name."""
    return {name for name in _reach(needs, start) if start in _reach(needs, name)}
