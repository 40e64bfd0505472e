"""Traefik's configuration as data, and the route file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.messages.deploy import Place
from pipelines.routefile import parse, render
from pipelines.settings import Ports
from pipelines.traefik import (
    Backend,
    Routing,
    base_config,
    dynamic_config,
    host_name,
    place_name,
    served_wrongly,
    service_name,
    static_config,
)

_PLACE = Place(environment="staging", service="shop")
_BACKENDS = {
    "r1": Backend(servers=["http://127.0.0.1:20001", "http://127.0.0.1:20002"], health="/healthz"),
    "r2": Backend(servers=["http://127.0.0.1:20003"], health="/ready?full=1"),
}


def _routing(**more: Any) -> Routing:
    return Routing(**({"place": _PLACE, "weights": {"r1": 80, "r2": 20}, "backends": _BACKENDS} | more))


def _raw(routing: Routing) -> dict[str, Any]:
    """As Traefik's API shows a configuration that it serves."""
    http = dynamic_config(routing).get("http", {"routers": {}, "services": {}})
    routers = {f"{name}@file": {**router, "status": "enabled"} for name, router in http["routers"].items()}
    return {"routers": routers, "services": {f"{name}@file": service for name, service in http["services"].items()}}


def test_the_static_configuration_has_the_ports_and_the_folder() -> None:
    config = static_config(Ports(proxy=1, preview=2, proxy_admin=3), Path("/routes"), "127.0.0.2", Path("/log"))
    assert {name: point["address"] for name, point in config["entryPoints"].items()} == {
        "web": "127.0.0.2:1",
        "preview": "127.0.0.2:2",
        "traefik": "127.0.0.2:3",
    }
    assert config["providers"]["file"] == {"directory": "/routes", "watch": True}
    assert config["accessLog"]["filePath"] == "/log"
    assert "accessLog" not in static_config(Ports(), Path("/routes"))


def test_buckets_rise() -> None:
    buckets = static_config(Ports(), Path("/routes"))["metrics"]["prometheus"]["buckets"]
    assert buckets == sorted(set(buckets))


def test_weights_are_shares_of_services_and_each_release_has_its_own() -> None:
    http = dynamic_config(_routing())["http"]
    parts = http["services"]["staging_shop"]["weighted"]["services"]
    assert parts == [{"name": "staging_shop_r1", "weight": 80}, {"name": "staging_shop_r2", "weight": 20}]
    servers = http["services"]["staging_shop_r1"]["loadBalancer"]["servers"]
    assert [server["url"] for server in servers] == _BACKENDS["r1"].servers
    assert http["services"]["staging_shop_r2"]["loadBalancer"]["healthCheck"]["path"] == "/ready?full=1"


def test_a_release_of_weight_0_gets_no_server() -> None:
    services = dynamic_config(_routing(weights={"r1": 100, "r2": 0}))["http"]["services"]
    assert set(services) == {"staging_shop", "staging_shop_r1"}


def test_nothing_routed_is_no_configuration() -> None:
    assert dynamic_config(_routing(weights={})) == {}


def test_the_preview_has_a_service_of_its_own_so_that_it_is_not_measured() -> None:
    http = dynamic_config(_routing(weights={"r1": 100}, preview="r2"))["http"]
    assert http["routers"]["staging_shop__preview"]["entryPoints"] == ["preview"]
    assert http["routers"]["staging_shop"]["entryPoints"] == ["web"]
    assert http["services"]["staging_shop__preview"]["loadBalancer"]["servers"] == [{"url": "http://127.0.0.1:20003"}]
    assert "staging_shop_r2" not in http["services"]


def test_a_preview_alone() -> None:
    assert set(dynamic_config(_routing(weights={}, preview="r1"))["http"]["services"]) == {"staging_shop__preview"}


def test_every_middleware_and_transport_that_is_named_exists() -> None:
    http, base = dynamic_config(_routing(preview="r2"))["http"], base_config()["http"]
    known = {*http["middlewares"], *base["middlewares"]}
    assert {name for router in http["routers"].values() for name in router["middlewares"]} <= known
    balancers = [service["loadBalancer"] for service in http["services"].values() if "loadBalancer" in service]
    assert {balancer["serversTransport"] for balancer in balancers} <= set(base["serversTransports"])


names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


@given(names, names, names, names)
def test_two_places_never_share_a_name(one: str, two: str, three: str, four: str) -> None:
    first, second = Place(environment=one, service=two), Place(environment=three, service=four)
    if first != second:
        assert place_name(first) != place_name(second)
        assert host_name(first) != host_name(second)
        assert service_name(first, "r") != service_name(second, "r")


@pytest.mark.parametrize(
    "routing",
    [_routing(), _routing(preview="r2"), _routing(weights={}), _routing(weights={}, preview="r1")],
    ids=["weights", "preview too", "nothing", "preview only"],
)
def test_what_is_served_as_wanted(routing: Routing) -> None:
    assert served_wrongly(routing, _raw(routing)) == ""


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (_routing(weights={"r1": 50, "r2": 50}), "service staging_shop is not the new one yet"),
        (_routing(weights={}), "router staging_shop is not there yet"),
        (_routing(backends={**_BACKENDS, "r1": Backend(servers=["http://127.0.0.1:1"])}), "service staging_shop_r1 is not"),
        (_routing(preview="r2"), "router staging_shop__preview is still there"),
    ],
)
def test_what_is_not_served_yet_is_said(before: Routing, words: str) -> None:
    assert words in served_wrongly(_routing(), _raw(before))


def test_a_router_that_traefik_refuses() -> None:
    raw = _raw(_routing())
    raw["routers"]["staging_shop@file"] |= {"status": "disabled", "error": ["no such middleware"]}
    assert "is refused: no such middleware" in served_wrongly(_routing(), raw)


def test_an_answer_without_routers() -> None:
    assert served_wrongly(_routing(weights={}), {}) == ""
    assert "not there yet" in served_wrongly(_routing(), {})


def test_a_route_file_says_what_it_was_made_from() -> None:
    routing = _routing(revision=7, rollout="rollout/staging/shop/3", preview="r2")
    found = parse(render(routing))
    assert (found.routing, found.edited, found.weights, found.preview) == (routing, False, {"r1": 80, "r2": 20}, True)


def test_an_edited_route_file_says_what_it_really_routes() -> None:
    found = parse(render(_routing(preview="r2")).replace("weight: 80", "weight: 10"))
    assert found.edited
    assert (found.weights, found.preview) == ({"r1": 10, "r2": 20}, True)


@pytest.mark.parametrize("text", ["", "http: [", "# switchyard {broken\n", "# switchyard []\n", "a: b\n", "- 1\n"])
def test_a_file_of_somebody_elses_routes_nothing_that_we_know(text: str) -> None:
    found = parse(text)
    assert (found.routing, found.edited, found.weights) == (None, True, {})


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_of_a_user_becomes_a_template(path: str, rollout: str) -> None:
    """Traefik runs a route file through Go's templates, whose functions read the environment."""
    path, rollout = "/{{ env `HOME` }}" + path, rollout + "{{{ . }}}"
    routing = _routing(rollout=rollout, backends={**_BACKENDS, "r1": Backend(servers=["http://127.0.0.1:1"], health=path)})
    text = render(routing)
    assert "{{" not in text
    assert parse(text) == parse(text).model_copy(update={"routing": routing, "edited": False})
    yaml.safe_load(text)
