"""The delivery target in memory: replicas of releases, where the traffic goes, and every moment at which it went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.messages.deploy import ReleaseStatus, ReplicaStatus, RouteInput


@dataclass
class Cluster:
    """`wrongs` is empty as long as traffic was only ever sent to releases that run."""

    replicas: dict[str, int] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    routes: dict[str, list[RouteInput]] = field(default_factory=dict)
    retired: list[str] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)

    def ensure(self, release: str, count: int) -> ReleaseStatus:
        self.replicas[release] = count
        if release in self.retired:
            self.retired.remove(release)
        self._look()
        return self.status(release)

    def retire(self, release: str) -> None:
        self.replicas.pop(release, None)
        self.retired.append(release)
        self._look()

    def route(self, wanted: RouteInput) -> None:
        """An older revision of the same rollout never overwrites a newer one."""
        known = self.routes.setdefault(wanted.place.key, [])
        if known and known[-1].rollout == wanted.rollout and known[-1].revision > wanted.revision:
            return
        known.append(wanted)
        self._look()

    def weights(self, place: str) -> dict[str, int]:
        """Where the traffic of the place goes now."""
        known = self.routes.get(place, [])
        return known[-1].weights if known else {}

    def history(self, place: str) -> list[dict[str, int]]:
        return [route.weights for route in self.routes.get(place, [])]

    def crash(self, release: str, reason: str = "exit status 1") -> None:
        """Its watch tells the rollout."""
        self.broken[release] = reason

    def status(self, release: str) -> ReleaseStatus:
        reason = self.broken.get(release, "")
        count = self.replicas.get(release, 0)
        replicas = [ReplicaStatus(name=f"{release}-{n}", ready=not reason, alive=not reason, reason=reason) for n in range(count)]
        return ReleaseStatus(release_id=release, replicas=replicas)

    def _look(self) -> None:
        for place, routes in self.routes.items():
            for release, weight in routes[-1].weights.items():
                if weight and not self.replicas.get(release):
                    self.wrongs.append(f"{place}: {weight} % of the traffic on {release}, which has no replica")
