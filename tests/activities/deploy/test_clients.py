"""The small clients of delivery, each for itself."""

from __future__ import annotations

import http.server
import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.clients import addresses, connections
from activities.clients.addresses import Addresses
from activities.clients.delivery import choose
from activities.clients.files import locked, write_whole
from activities.clients.local import health, ports, state
from activities.clients.local.identity import own
from activities.clients.local.state import ReplicaSpec, ReplicaState, Spec
from activities.clients.proxy_metrics import ProxyMetrics
from activities.clients.traefik_api import TraefikApi
from activities.deploy import Deploy
from activities.measure import Measure
from activities.records.samples import Sample
from pipelines.errors import Busy, SettingsError, Unavailable
from pipelines.messages.common import ArtifactRef
from pipelines.messages.deploy import Place, Release, ReleaseStatus, ReplicaStatus, Routed
from pipelines.spec import ProcessSpec
from tests.support.ports import free_port

_PLACE = Place(environment="staging", service="shop")


class _Answers(http.server.BaseHTTPRequestHandler):
    """The path is the status."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/").split("/")[0] or 200))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.daemon_threads = True
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    yield server.server_port
    server.shutdown()


def test_an_address_is_a_name_where_it_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "resolves", lambda name: name == "shop.staging.localhost")
    assert Addresses("127.0.0.1", 80, 81).of(_PLACE) == "http://shop.staging.localhost:80"
    assert Addresses("127.0.0.1", 80, 81).of(_PLACE, preview=True) == "http://shop.staging.localhost:81"


def test_and_a_path_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "resolves", lambda name: False)
    assert Addresses("127.0.0.1", 80, 81).of(_PLACE, preview=True) == "http://127.0.0.1:81/.switchyard/staging/shop"


def test_which_names_are_resolved_here() -> None:
    assert addresses.resolves("localhost")
    assert not addresses.resolves("no-such-host.invalid")


def test_open_connections_are_counted_by_local_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert connections.open_connections()[port] == 0
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            assert connections.open_connections()[port] == 1
            assert connections.open_connections()[client.getsockname()[1]] == 1
        assert connections.open_connections()[port] == 0


def test_a_kernel_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_TABLES", (Path("/nowhere"),))
    assert not connections.open_connections()


def test_an_unknown_target_names_what_is_configured() -> None:
    place = Place(environment="production", service="shop", target="kubernetes")
    with pytest.raises(SettingsError, match=r"production/shop is to run on target 'kubernetes'.*\(configured: local\)"):
        choose({"local": 1}, place, "router")
    assert choose({"local": 1}, _PLACE, "router") == 1


def test_a_file_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old"


def test_unfinished_files_are_kept_apart(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", "text", partial=tmp_path / "hidden", mode=0o600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "hidden"]
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_lock_excludes_threads_too_and_is_given_back(tmp_path: Path) -> None:
    again = locked(tmp_path / "lock", "it", patience=0.05)
    with locked(tmp_path / "lock", "it"), pytest.raises(Busy, match="somebody else is changing it"), again:
        raise AssertionError("two have it")
    with locked(tmp_path / "lock", "it", patience=0.05):
        assert (tmp_path / "lock").exists()


def test_no_port_is_given_twice(tmp_path: Path) -> None:
    folder = tmp_path / "staging/shop/r1"
    folder.mkdir(parents=True)
    found = ports.free(tmp_path, "127.0.0.1", 5)
    assert len(set(found)) == 5
    assert all(ports.FIRST <= port < ports.LAST for port in found)
    (folder / "spec.json").write_text(f'{{"replicas": [{{"port": {found[0]}}}]}}')
    (tmp_path / "staging/shop/broken").mkdir()
    (tmp_path / "staging/shop/broken/spec.json").write_text("{")
    assert list(ports.given(tmp_path)) == [found[0]]


def test_ports_that_somebody_listens_on_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(ports, "FIRST", taken)
        monkeypatch.setattr(ports, "LAST", taken + 1)
        with pytest.raises(Unavailable, match="no port between"):
            ports.free(tmp_path, "127.0.0.1", 1)


def test_whose_port_it_is_when_nobody_is_there() -> None:
    assert not ports.owns(2**22 + 1, 20000)


def _spec(tmp_path: Path, port: int, path: str, **env: str) -> Spec:
    process = ProcessSpec(command="x", readiness_path=path)
    artifact = ArtifactRef(name="app", digest="sha256:" + "0" * 64)
    release = Release(id="r1", place=_PLACE, artifact=artifact, process=process)
    return Spec(
        serial=1,
        command="x",
        folder=str(tmp_path),
        logs=str(tmp_path),
        env=env,
        stop_timeout=1.0,
        log_limit=100,
        replicas=[ReplicaSpec(name="1", port=port, settled=True)],
        release=release.model_dump(mode="json"),
    )


def _look(spec: Spec, port: int, **more: object) -> ReplicaStatus:
    given = {"identity": own(), "port": port, "exits": 0, "crashes": [], "problem": "", "log_from": 0, **more}
    [found] = health.look(spec, {"1": ReplicaState(**given)}, spec["replicas"])  # type: ignore[typeddict-item]
    return found


@pytest.mark.parametrize(("path", "ready"), [("/200", True), ("/204", True), ("/302", True), ("/404", False), ("/503", False)])
def test_ready_is_any_answer_below_400(tmp_path: Path, port: int, path: str, ready: bool) -> None:
    found = _look(_spec(tmp_path, port, path), port)
    assert (found.ready, found.alive, found.name) == (ready, True, "r1-1")
    assert found.reason == ("" if ready else f"{path} answered {path.strip('/')}")


def test_nobody_listens_yet(tmp_path: Path) -> None:
    port = free_port()
    found = _look(_spec(tmp_path, port, "/200"), port)
    assert (found.ready, found.alive) == (False, True)
    assert "cannot be asked: Connection refused" in found.reason


def test_an_answer_that_does_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert "did not answer within 0.1 s" in _look(_spec(tmp_path, port, "/200"), port).reason


def test_a_replica_that_still_has_its_old_port_is_not_this_one(tmp_path: Path, port: int) -> None:
    assert not _look(_spec(tmp_path, port, "/200"), port + 1).alive


def test_one_that_never_ran(tmp_path: Path, port: int) -> None:
    spec = _spec(tmp_path, port, "/200")
    [found] = health.look(spec, {}, spec["replicas"])
    assert (found.alive, found.reason) == (False, "it does not run")
    assert health.look(spec, {}, []) == []


def test_a_reason_has_the_last_lines_without_colours_and_secrets(tmp_path: Path, port: int) -> None:
    spec = _spec(tmp_path, port, "/503", DB_PASSWORD="correct-horse")
    log = state.log_path(spec, "1")
    log.write_text("of an earlier process\n\x1b[31mcannot log in with correct-horse\x1b[0m\n\n")
    reason = _look(spec, port, log_from=len("of an earlier process\n")).reason
    assert reason == "/503 answered 503; last lines: cannot log in with ***"


def test_a_log_that_was_cut_meanwhile_is_read_from_its_start(tmp_path: Path, port: int) -> None:
    spec = _spec(tmp_path, port, "/503")
    state.log_path(spec, "1").write_text("after the cut\n")
    assert "last lines: after the cut" in _look(spec, port, log_from=10_000).reason


def test_a_crash_is_told_though_all_is_well_again(tmp_path: Path, port: int) -> None:
    found = _look(_spec(tmp_path, port, "/200"), port, crashes=[1.0, 2.0], problem="exit status 3")
    assert (found.ready, found.restarts, found.reason) == (True, 2, "it crashed: exit status 3")


def test_traefik_that_is_not_there() -> None:
    with pytest.raises(Unavailable, match=r"the proxy does not answer.*switchyard up"):
        TraefikApi(f"http://127.0.0.1:{free_port()}").ping()


def test_something_else_on_traefiks_port(port: int) -> None:
    api = TraefikApi(f"http://127.0.0.1:{port}/404")
    with pytest.raises(Unavailable, match="the proxy answered 404"):
        api.ping()
    api.close()


class _Target:
    """Fails as often as it is told to, then is well, then broken."""

    def __init__(self, failures: int) -> None:
        self._left = failures
        self.looks = 0

    def inspect(self, place: Place, release_id: str) -> ReleaseStatus:
        self.looks += 1
        if self.looks <= self._left:
            raise Unavailable("the target is away")
        crashed = self.looks > self._left + 2
        return ReleaseStatus(release_id="r1", replicas=[ReplicaStatus(name="r1-1", alive=not crashed, ready=not crashed)])


async def test_a_target_that_is_away_says_nothing_about_the_release(caplog: pytest.LogCaptureFixture) -> None:
    target, noticed = _Target(4), []

    def on_look(place: Place, watched: float) -> None:
        noticed.append(watched)
        raise Unavailable("no samples")

    spec = ProcessSpec(command="x")
    release = Release(id="r1", place=_PLACE, artifact=ArtifactRef(name="app", digest="sha256:0"), process=spec)
    deploy = Deploy({"local": target}, {}, 0.001, on_look)  # type: ignore[dict-item]
    with caplog.at_level(logging.WARNING):
        status = await deploy.watch(release)
    assert not status.replicas[0].alive
    assert target.looks == 7
    assert len(noticed) == 6
    assert "the target is away" in caplog.text
    assert "no samples" in caplog.text


class _Records:
    def __init__(self) -> None:
        self.stored: list[Sample] = []

    def store_all(self, samples: list[Sample]) -> None:
        self.stored += samples

    def between(self, place: str, since: float, until: float | None = None, release_id: str | None = None) -> list[Sample]:
        return [sample for sample in self.stored if sample.release_id == release_id and sample.at >= since]

    def last_before(self, place: str, release_id: str, at: float) -> Sample | None:
        known = [sample for sample in self.stored if sample.release_id == release_id and sample.at <= at]
        return known[-1] if known else None


class _Api:
    def metrics(self) -> str:
        return "process_start_time_seconds 5\n"


class _Router:
    def current(self, place: Place) -> Routed:
        return Routed(weights={"r1": 80, "r2": 20})


def test_samples_are_taken_about_every_second_and_more_rarely_later() -> None:
    records = _Records()
    metrics = ProxyMetrics(_Api(), records)  # type: ignore[arg-type]
    for _ in range(3):
        metrics.on_look(_PLACE, 0.0, ["r1", "r2"])
    assert [sample.release_id for sample in records.stored] == ["r1", "r2"]
    metrics._last[_PLACE.key] -= 2
    metrics.on_look(_PLACE, 3600.0, ["r1", "r2"])
    assert len(records.stored) == 2
    metrics._last[_PLACE.key] -= 9
    metrics.on_look(_PLACE, 3600.0, ["r1", "r2"])
    assert len(records.stored) == 4
    metrics.on_look(_PLACE, 0.0, [])
    assert len(records.stored) == 4


def test_looks_begin_with_the_last_one_before_the_window() -> None:
    records = _Records()
    metrics = ProxyMetrics(_Api(), records)  # type: ignore[arg-type]
    for at in (10.0, 20.0, 30.0, 40.0):
        records.stored.append(Sample(place=_PLACE.key, release_id="r1", at=at, payload={"process": 5.0, "codes": {"200": at}}))
    assert [look.at for look in metrics.looks(_PLACE, "r1", 25.0, 50.0)] == [20.0, 30.0, 40.0]
    assert [look.at for look in metrics.looks(_PLACE, "r1", 30.0, 50.0)] == [30.0, 40.0]
    assert [look.requests for look in metrics.looks(_PLACE, "r1", 5.0, 50.0)] == [10.0, 20.0, 30.0, 40.0]
    assert metrics.looks(_PLACE, "r9", 5.0, 50.0) == []


def test_a_watch_samples_all_that_get_traffic() -> None:
    records = _Records()
    metrics = ProxyMetrics(_Api(), records)  # type: ignore[arg-type]
    measure = Measure(metrics, {}, {"local": _Router()}, lambda wanted, measured: None)  # type: ignore[dict-item,arg-type,return-value]
    measure.on_look(_PLACE, 0.0)
    assert {sample.release_id for sample in records.stored} == {"r1", "r2"}
    measure.on_look(Place(environment="production", service="shop", target="kubernetes"), 0.0)
    assert len(records.stored) == 2
