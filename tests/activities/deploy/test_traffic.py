"""Weights, switches and stops under real load through a real Traefik: no request is lost."""

from __future__ import annotations

import time

import httpx
import pytest

from pipelines.errors import Conflict, ReleaseUnhealthy, Unavailable
from pipelines.messages.deploy import Place
from pipelines.traefik import BASE_FILE
from tests.support.load import Load, load
from tests.support.releases import Bench, until


def _url(bench: Bench, preview: bool = False) -> str:
    return bench.traefik.addresses.of(bench.place, preview)


def _answered(seen: Load, more: int) -> None:
    before = seen.answered
    until(lambda: seen.answered >= before + more or seen.failures, f"{more} more answers")


def test_a_route_serves_when_it_returns(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    routed = bench.route({"r1": 100})
    assert httpx.get(routed.address).json()["release"] == "r1"
    assert (routed.weights, routed.preview_address, routed.notes) == ({"r1": 100}, "", [])


def test_by_host_name_too_and_the_path_is_the_services_own(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.route({"r1": 100})
    proxy = f"http://127.0.0.1:{bench.traefik.ports.proxy}"
    named = httpx.get(f"{proxy}/a/b?c=1", headers={"Host": "shop.staging.localhost"}).json()
    direct = httpx.get(f"{proxy}/.switchyard/staging/shop/a/b?c=1").json()
    assert named["path"] == direct["path"] == "/a/b?c=1"
    assert httpx.get(f"{proxy}/", headers={"Host": "shop-2.staging.localhost"}).status_code == 404
    assert httpx.get(f"{proxy}/.switchyard/staging/shop-2").status_code == 404


def test_the_share_is_the_weight(bench: Bench) -> None:
    bench.ensure(bench.release("r1"), 2)
    bench.ensure(bench.release("r2"), 1)
    for weight in (10, 50, 80):
        bench.route({"r1": 100 - weight, "r2": weight})
        with load(_url(bench), rate=200, most=200) as seen:
            until(lambda: seen.answered + len(seen.failures) == 200, "all are answered")
        assert seen.failures == []
        assert seen.share("r2") == pytest.approx(weight / 100, abs=0.03)


def test_no_request_is_lost_while_weights_move_and_replicas_come_and_go(bench: Bench) -> None:
    one, two = bench.release("r1"), bench.release("r2")
    bench.ensure(one, 2)
    bench.route({"r1": 100})
    with load(_url(bench), rate=80) as seen:
        _answered(seen, 40)
        bench.ensure(two, 1)
        for weight in (20, 60):
            bench.route({"r1": 100 - weight, "r2": weight})
            _answered(seen, 40)
        bench.ensure(two, 2)
        bench.ensure(one, 1)
        _answered(seen, 40)
        bench.route({"r2": 100})
        bench.retire("r1")
        before = seen.releases["r1"]
        _answered(seen, 40)
    assert seen.failures == []
    assert seen.releases["r1"] == before
    assert seen.releases["r2"] > 0


def test_a_killed_replica_loses_no_request_that_may_be_repeated(bench: Bench) -> None:
    bench.ensure(bench.release("r1"), 3)
    bench.route({"r1": 100})
    with load(_url(bench) + "/slow?0.05", rate=60) as seen:
        for _ in range(3):
            _answered(seen, 20)
            bench.replicas("r1")[0].kill()
        _answered(seen, 60)
    assert seen.failures == []


def test_a_release_whose_only_replica_dies_loses_no_request_either(bench: Bench) -> None:
    """The weighted service passes the traffic on to the other release until the replica is back."""
    bench.ensure(bench.release("r1"), 1)
    bench.ensure(bench.release("r2"), 1)
    bench.route({"r1": 50, "r2": 50})
    with load(_url(bench), rate=60) as seen:
        _answered(seen, 20)
        bench.replicas("r2")[0].kill()
        _answered(seen, 120)
    assert seen.failures == []


def test_slow_requests_end_before_their_release_is_stopped(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.ensure(bench.release("r2"))
    bench.route({"r1": 100})
    with load(_url(bench) + "/slow?1.2", rate=20, most=10) as seen:
        until(lambda: seen.sent == 10, "all are sent")
        time.sleep(0.1)  # the last ones must have reached the replica
        bench.route({"r2": 100})
        bench.retire("r1", drain=10.0)
    assert seen.failures == []
    assert seen.releases == {"r1": 10}


def test_draining_is_bounded(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.ensure(bench.release("r2"))
    bench.route({"r1": 100})
    with load(_url(bench) + "/slow?15", rate=20, most=1, method="POST") as seen:
        until(lambda: seen.sent == 1, "it is sent")
        time.sleep(0.1)  # it must have reached the replica
        bench.route({"r2": 100})
        bench.retire("r1", drain=0.5)
    assert len(seen.failures) == 1, "it was not waited for"


@pytest.mark.timeout(60)
def test_an_unused_release_drains_at_once(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.ensure(bench.release("r2"))
    bench.route({"r1": 100})
    bench.retire("r2", drain=600)


def test_a_preview_is_reached_on_its_own_address_only(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.ensure(bench.release("r2"))
    routed = bench.route({"r1": 100}, preview="r2")
    assert httpx.get(routed.preview_address).json()["release"] == "r2"
    assert {httpx.get(routed.address).json()["release"] for _ in range(10)} == {"r1"}
    with pytest.raises(Conflict, match="the preview's traffic"):
        bench.retire("r2")
    assert bench.route({"r1": 100}).preview_address == ""
    assert httpx.get(_url(bench, preview=True)).status_code == 404


def test_a_release_that_gets_traffic_is_not_retired(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.route({"r1": 100})
    with pytest.raises(Conflict, match="r1 still gets 100 % of the traffic"):
        bench.retire("r1")
    assert httpx.get(_url(bench)).status_code == 200


def test_the_last_replica_of_a_routed_release_is_not_stopped(bench: Bench) -> None:
    release = bench.release("r1")
    bench.ensure(release)
    bench.route({"r1": 100})
    with pytest.raises(Conflict, match="still gets traffic"):
        bench.ensure(release, 0)
    assert httpx.get(_url(bench)).status_code == 200


def test_nothing_is_routed_to_a_release_without_a_ready_replica(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.route({"r1": 100})
    with pytest.raises(ReleaseUnhealthy, match="r2 in staging/shop has no ready replica"):
        bench.route({"r1": 50, "r2": 50})
    assert bench.traffic.current(bench.place).weights == {"r1": 100}


def test_an_older_revision_does_not_overwrite_a_newer_one_of_the_same_rollout(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.ensure(bench.release("r2"))
    bench.route({"r1": 50, "r2": 50}, revision=3, rollout="rollout/1")
    with pytest.raises(Conflict, match="revision 2 of rollout/1 is older than 3"):
        bench.route({"r2": 100}, revision=2, rollout="rollout/1")
    assert bench.route({"r1": 50, "r2": 50}, revision=3, rollout="rollout/1").weights == {"r1": 50, "r2": 50}
    assert bench.route({"r2": 100}, revision=1, rollout="rollout/2").weights == {"r2": 100}


def test_weights_that_are_no_percentages(bench: Bench) -> None:
    with pytest.raises(Conflict, match="sum to 100"):
        bench.route({"r1": 60, "r2": 60})


def test_nothing_left_to_route(bench: Bench) -> None:
    """As after the failed first release of a service; the last route of the folder goes too."""
    bench.ensure(bench.release("r1"))
    bench.route({"r1": 100})
    assert bench.route({}).weights == {}
    assert httpx.get(_url(bench)).status_code == 404
    bench.retire("r1")
    assert bench.processes("r1") == []


def test_a_place_that_was_never_routed(bench: Bench) -> None:
    assert bench.traffic.current(Place(environment="staging", service="other")).weights == {}


def test_what_was_edited_by_hand_is_told_and_counts(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.ensure(bench.release("r2"))
    bench.route({"r1": 99, "r2": 1}, revision=4, rollout="rollout/1")
    path = bench.traefik.routes / "staging_shop.yml"
    path.write_text(path.read_text().replace("weight: 99", "weight: 40").replace("weight: 1\n", "weight: 60\n"))
    current = bench.traffic.current(bench.place)
    assert current.weights == {"r1": 40, "r2": 60}
    assert "changed by somebody else since it was written (revision 4 of rollout/1)" in current.notes[0]
    routed = bench.route({"r1": 99, "r2": 1}, revision=5, rollout="rollout/1")
    assert routed.weights == {"r1": 99, "r2": 1}
    assert "r1 40, r2 60" in routed.notes[0]
    assert bench.traffic.current(bench.place).notes == []


def test_a_file_of_somebody_elses_is_overwritten_by_a_route_only(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    path = bench.traefik.routes / "staging_shop.yml"
    path.write_text("not: [yaml")
    assert "somebody else" in bench.traffic.current(bench.place).notes[0]
    bench.ensure(bench.release("r1"), 2)
    assert path.read_text() == "not: [yaml"
    assert bench.route({"r1": 100}).weights == {"r1": 100}


def test_a_broken_file_beside_ours_is_named(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.router._patience = 0.5
    (bench.traefik.routes / "staging_broken.yml").write_text("http: [")
    with pytest.raises(Unavailable, match=r"staging_broken.yml is not valid YAML"):
        bench.route({"r1": 100})
    (bench.traefik.routes / "staging_broken.yml").unlink()
    assert bench.route({"r1": 100}).weights == {"r1": 100}


def test_traefik_killed_and_started_again_serves_what_was_routed(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.route({"r1": 100})
    bench.traefik.kill()
    with pytest.raises(Unavailable, match="the proxy does not answer"):
        bench.route({"r1": 100})
    bench.traefik.start()
    until(lambda: httpx.get(_url(bench)).status_code == 200, "it serves again")
    assert bench.route({"r1": 100}).weights == {"r1": 100}


def test_routes_of_many_places_do_not_disturb_each_other(bench: Bench) -> None:
    bench.ensure(bench.release("r1"))
    bench.route({"r1": 100})
    other = Bench(bench.root / "other", bench.traefik, Place(environment="staging", service="shop-r1"))
    try:
        other.ensure(other.release("r1"))
        other.route({"r1": 100})
        assert httpx.get(_url(bench)).json()["env"]["SWITCHYARD_SERVICE"] == "shop"
        assert httpx.get(_url(other)).json()["env"]["SWITCHYARD_SERVICE"] == "shop-r1"
        assert (bench.traefik.routes / BASE_FILE).exists()
    finally:
        other.stop()
