"""The embedded delivery target: a release is a number of processes on this host, each on a port of its own.

They outlive the worker: a supervisor per release keeps them running (activities/clients/local). A worker writes what shall run
into the release's folder and waits until it does: the same call, made again after a crash, goes on where the other stopped.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from activities.base import heartbeat
from activities.clients.files import locked
from activities.clients.local import health, ports
from activities.clients.local.folder import ReleaseFolder
from activities.clients.local.state import ReplicaSpec, Spec
from pipelines.errors import NotFound, ReleaseUnhealthy
from pipelines.layout import slug
from pipelines.messages.deploy import EnsureInput, Place, PrepareInput, Release, ReleaseStatus, RetireInput
from pipelines.traefik import Backend

_CRASH_LOOP = 3
"""Ends of one replica while it is being started that count as an answer."""
_LOOK = 0.05
_KILL_ROOM = 10.0
"""Seconds on top of the stop timeout for processes to be gone after SIGKILL."""
_LOGS_KEPT = 20
"""Releases of a place whose logs are kept after they were removed."""


class Artifacts(Protocol):
    def has(self, digest: str) -> bool: ...

    def unpack(self, digest: str, folder: Path) -> None: ...


class Traffic(Protocol):
    """What the target needs of the router: replicas leave the traffic before they are stopped."""

    def serve(self, place: Place, release_id: str, backend: Backend | None) -> None: ...

    def drain(self, servers: list[str], patience: float) -> int: ...


class LocalTarget:
    """`root`: folder of all releases; `logs`: of their logs, which stay when a release is removed; `log_limit`: bytes of each."""

    def __init__(self, root: Path, logs: Path, artifacts: Artifacts, traffic: Traffic, log_limit: int = 8 << 20) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()
        self._logs = logs.resolve()
        self._artifacts = artifacts
        self._traffic = traffic
        self._log_limit = log_limit

    def prepare(self, wanted: PrepareInput) -> list[str]:
        if wanted.artifact is not None and not self._artifacts.has(wanted.artifact.digest):
            raise NotFound(f"artifact {wanted.artifact.name} ({wanted.artifact.digest}) is not in the store", "Build it again")
        present = f", artifact {wanted.artifact.name} is there" if wanted.artifact else ""
        return [f"target: processes on this host, in {self._root}{present}"]

    def ensure(self, wanted: EnsureInput) -> ReleaseStatus:
        release = wanted.release
        folder = self._folder(release.place, release.id)
        with self._locked(release.place, release.id):
            self._artifacts.unpack(release.artifact.digest, folder.app)
            spec = folder.spec() or self._first_spec(release, folder)
            spec = self._without_surplus(folder, spec, wanted)
            spec = self._with_missing(folder, spec, wanted.replicas)
            status = self._until_ready(folder, spec, release)
            spec = folder.want(spec, [{**replica, "settled": True} for replica in spec["replicas"]])
            self._traffic.serve(release.place, release.id, _backend(spec, spec["replicas"]))
        return status

    def inspect(self, place: Place, release_id: str) -> ReleaseStatus:
        folder = self._folder(place, release_id)
        spec = folder.spec()
        if spec is None:
            return ReleaseStatus(release_id=release_id)
        if spec["replicas"] and not folder.supervised:
            folder.launch()
        return _status(folder, spec)

    def backend(self, place: Place, release_id: str) -> Backend:
        spec = self._folder(place, release_id).spec()
        status = self.inspect(place, release_id)
        if spec is None or not status.ready:
            why = "; ".join(replica.reason for replica in status.replicas) or "it does not run"
            raise ReleaseUnhealthy(f"{release_id} in {place.key} has no ready replica: {why}")
        settled = [replica for replica in spec["replicas"] if replica["settled"]]
        if not settled:
            raise ReleaseUnhealthy(f"{release_id} in {place.key} was never ensured", "Ensure it before it is routed")
        return _backend(spec, settled)

    def retire(self, wanted: RetireInput) -> None:
        folder = self._folder(wanted.place, wanted.release_id)
        with self._locked(wanted.place, wanted.release_id):
            self._traffic.serve(wanted.place, wanted.release_id, None)
            spec = folder.spec()
            if spec is not None:
                self._traffic.drain(_servers(spec["replicas"]), wanted.drain)
                self._stop(folder, folder.want(spec, []))
                folder.until(lambda: not folder.supervised, _KILL_ROOM, f"the end of {wanted.release_id}'s supervisor")
            folder.remove()
            self._prune_logs(wanted.place)

    def revive(self) -> list[str]:
        """Start what shall run and does not, as after a reboot; the ids of releases that had no supervisor."""
        found = []
        for path in sorted(self._root.glob("*/*/*/spec.json")):
            folder = ReleaseFolder(path.parent)
            spec = folder.spec()
            if spec and spec["replicas"] and not folder.supervised:
                folder.launch()
                found.append(spec["release"]["id"])
        return found

    def _without_surplus(self, folder: ReleaseFolder, spec: Spec, wanted: EnsureInput) -> Spec:
        """Out of the traffic, then out of requests, then out."""
        kept, surplus = spec["replicas"][: wanted.replicas], spec["replicas"][wanted.replicas :]
        if not surplus:
            return spec
        place, release_id = wanted.release.place, wanted.release.id
        self._traffic.serve(place, release_id, _backend(spec, [replica for replica in kept if replica["settled"]]))
        self._traffic.drain(_servers(surplus), wanted.drain)
        spec = folder.want(spec, kept)
        self._stop(folder, spec)
        return spec

    def _stop(self, folder: ReleaseFolder, spec: Spec) -> None:
        names = {replica["name"] for replica in spec["replicas"]}

        def over() -> bool:
            return folder.seen(spec["serial"]) and set(folder.replicas()) <= names

        folder.until(over, spec["stop_timeout"] + _KILL_ROOM, f"the end of replicas of {spec['release']['id']}")

    def _with_missing(self, folder: ReleaseFolder, spec: Spec, count: int) -> Spec:
        """New replicas get the lowest free numbers; one that does not run and has lost its port to a stranger gets another."""
        with locked(self._root / ".locks" / "ports", "the ports of replicas"):
            replicas = [replica for replica in spec["replicas"] if not self._lost_port(folder, replica)]
            names = [str(number) for number in range(1, count + 1) if str(number) not in {each["name"] for each in replicas}]
            missing = names[: count - len(replicas)]
            fresh = ports.free(self._root, health.HOST, len(missing))
            added = [ReplicaSpec(name=name, port=port, settled=False) for name, port in zip(missing, fresh, strict=True)]
            spec = folder.want(spec, sorted([*replicas, *added], key=lambda replica: int(replica["name"])))
        serial = spec["serial"]
        folder.until(lambda: folder.seen(serial), _KILL_ROOM, f"the start of {spec['release']['id']}")
        return spec

    def _lost_port(self, folder: ReleaseFolder, replica: ReplicaSpec) -> bool:
        return not folder.running(replica["name"]) and not ports.is_free(health.HOST, replica["port"])

    def _until_ready(self, folder: ReleaseFolder, spec: Spec, release: Release) -> ReleaseStatus:
        deadline = time.monotonic() + release.process.readiness_timeout
        before = {name: found["exits"] for name, found in folder.replicas().items()}
        while True:
            status = _status(folder, spec)
            if status.ready == len(spec["replicas"]) and all(self._is_ours(folder, replica) for replica in spec["replicas"]):
                return status
            _check_crash_loop(folder, status, before)
            if time.monotonic() > deadline:
                raise ReleaseUnhealthy(_too_late(release, status), "See the service's log and its readiness_path")
            if not folder.supervised:
                folder.launch()
            heartbeat()
            time.sleep(_LOOK)

    def _is_ours(self, folder: ReleaseFolder, replica: ReplicaSpec) -> bool:
        """Once a replica has settled its port is known to be its own."""
        found = folder.replicas().get(replica["name"])
        return replica["settled"] or bool(found and found["identity"] and ports.owns(found["identity"]["pid"], replica["port"]))

    def _first_spec(self, release: Release, folder: ReleaseFolder) -> Spec:
        return Spec(
            serial=0,
            command=release.process.command,
            folder=str(folder.path),
            logs=str(self._logs / _parts(release.place) / slug(release.id)),
            env=_environment(release, folder.path),
            stop_timeout=release.process.stop_timeout,
            log_limit=self._log_limit,
            replicas=[],
            release=release.model_dump(mode="json"),
        )

    def _folder(self, place: Place, release_id: str) -> ReleaseFolder:
        return ReleaseFolder(self._root / _parts(place) / slug(release_id))

    def _locked(self, place: Place, release_id: str) -> AbstractContextManager[int]:
        name = slug(f"{place.environment}_{place.service}_{release_id}", 200)
        return locked(self._root / ".locks" / name, f"release {release_id} in {place.key}")

    def _prune_logs(self, place: Place) -> None:
        folder = self._logs / _parts(place)
        if not folder.is_dir():
            return
        alive = {path.name for path in (self._root / _parts(place)).iterdir()} if (self._root / _parts(place)).is_dir() else set()
        gone = sorted((path for path in folder.iterdir() if path.name not in alive), key=lambda path: path.stat().st_mtime)
        for path in gone[:-_LOGS_KEPT]:
            shutil.rmtree(path, ignore_errors=True)


def _parts(place: Place) -> Path:
    return Path(slug(place.environment)) / slug(place.service)


def _environment(release: Release, folder: Path) -> dict[str, str]:
    """Nothing of the worker's own but its PATH; what the release says comes last, PORT and HOST are the replica's own."""
    facts = {
        "SWITCHYARD_SERVICE": release.place.service,
        "SWITCHYARD_ENVIRONMENT": release.place.environment,
        "SWITCHYARD_RELEASE": release.id,
        "SWITCHYARD_VERSION": release.version,
        "SWITCHYARD_SHA": release.sha,
    }
    own = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    return {**own, "LANG": "C.UTF-8", **facts, **release.process.env, **release.env, "HOST": health.HOST}


def _backend(spec: Spec, replicas: list[ReplicaSpec]) -> Backend:
    return Backend(servers=_servers(replicas), health=spec["release"]["process"]["readiness_path"])


def _servers(replicas: list[ReplicaSpec]) -> list[str]:
    return [health.address(replica["port"]) for replica in replicas]


def _status(folder: ReleaseFolder, spec: Spec) -> ReleaseStatus:
    """Looked at again when a replica ended just then, since its supervisor has not said how yet."""
    replicas = health.look(spec, folder.fresh_replicas(), spec["replicas"])
    if not all(replica.alive for replica in replicas):
        replicas = health.look(spec, folder.fresh_replicas(), spec["replicas"])
    return ReleaseStatus(release_id=spec["release"]["id"], replicas=replicas)


def _check_crash_loop(folder: ReleaseFolder, status: ReleaseStatus, before: dict[str, int]) -> None:
    for name, found in folder.replicas().items():
        ends = found["exits"] - before.get(name, 0)
        if ends >= _CRASH_LOOP:
            reason = next((each.reason for each in status.replicas if each.name.endswith(f"-{name}")), "") or found["problem"]
            raise ReleaseUnhealthy(f"replica {name} of {status.release_id} ended {ends} times while it was started: {reason}")


def _too_late(release: Release, status: ReleaseStatus) -> str:
    waited = f"{release.process.readiness_timeout:g} s"
    reasons = "; ".join(f"{replica.name}: {replica.reason}" for replica in status.replicas if not replica.ready)
    return f"{status.ready} of {len(status.replicas)} replicas of {release.id} were ready after {waited}; {reasons}"
