"""Prometheus' API, played by a local server with answers as its documentation has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from activities.clients.metrics import PrometheusProvider, Scope
from activities.clients.prometheus import Prometheus, fill
from pipelines.errors import SettingsError, SpecError, Throttled, Unavailable
from pipelines.messages.deploy import Place
from pipelines.spec.analysis import MetricSpec
from tests.support.ports import free_port
from tests.support.prometheus import PrometheusServer


@pytest.fixture
def server() -> Iterator[PrometheusServer]:
    made = PrometheusServer()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def prometheus(server: PrometheusServer) -> Prometheus:
    return Prometheus(server.url + "/")


def _sample(value: str) -> dict[str, Any]:
    return {"metric": {"job": "shop"}, "value": [1435781451.781, value]}


@pytest.mark.parametrize(("text", "number"), [("0.25", 0.25), ("1e3", 1000.0), ("NaN", None), ("+Inf", None), ("-Inf", None)])
def test_a_vector_of_one_is_a_number(server: PrometheusServer, prometheus: Prometheus, text: str, number: float | None) -> None:
    server.success("vector", [_sample(text)])
    assert prometheus.number("up", 1435781451.781) == number
    assert server.asked[-1] == {"path": "/api/v1/query", "query": "up", "time": "1435781451.781"}


def test_an_empty_vector_is_no_number(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.success("vector", [])
    assert prometheus.number("up", 1) is None


def test_a_scalar(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.success("scalar", [1435781451.781, "1.5"])
    assert prometheus.number("1.5", 1) == 1.5


def test_several_series_are_the_users_mistake(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.success("vector", [_sample("1"), _sample("2")])
    with pytest.raises(SpecError, match="gives 2 series"):
        prometheus.number("up", 1)
    server.success("matrix", [{"metric": {}, "values": []}, {"metric": {}, "values": []}])
    with pytest.raises(SpecError, match="gives 2 series"):
        prometheus.series("up", 0, 30, 15)


def test_a_series_has_a_place_for_every_step(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.success("matrix", [{"metric": {}, "values": [[1000, "1"], [1030, "NaN"], [1045, "4"]]}])
    assert prometheus.series("up", 1000, 1060, 15) == [1.0, None, None, 4.0, None]
    assert (server.asked[-1]["start"], server.asked[-1]["end"], server.asked[-1]["step"]) == ("1000.000", "1060.000", "15.000")


def test_a_series_that_does_not_exist(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.success("matrix", [])
    assert prometheus.series("up", 0, 30, 15) == [None, None, None]


def test_a_query_that_prometheus_refuses_is_the_users_mistake(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.play({"status": "error", "errorType": "bad_data", "error": 'parse error: unexpected "}"'}, 400)
    with pytest.raises(SpecError, match="parse error"):
        prometheus.number("up}", 1)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, {"status": "error", "errorType": "timeout", "error": "query timed out"}, Unavailable),
        (500, b"<html>", Unavailable),
        (200, {"status": "error"}, Unavailable),
        (429, {}, Throttled),
    ],
)
def test_trouble_is_tried_again(
    server: PrometheusServer, prometheus: Prometheus, status: int, body: object, error: type[Exception]
) -> None:
    server.play(body, status)
    with pytest.raises(error):
        prometheus.number("up", 1)


def test_nobody_answers() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        Prometheus(f"http://127.0.0.1:{free_port()}").number("up", 1)


def test_none_is_configured() -> None:
    with pytest.raises(SettingsError, match="SWITCHYARD_PROMETHEUS_URL"):
        Prometheus("").number("up", 1)


def test_placeholders() -> None:
    assert fill('x{release="${release}"}[${window}] $$1', release="r1", window="30s") == 'x{release="r1"}[30s] $1'
    with pytest.raises(SpecError, match=r"\$\{release\}, \$\{window\}"):
        fill("${releases}", release="r1", window="30s")
    with pytest.raises(SpecError):
        fill("a $ b", release="r1")


_QUERY = 'sum(rate(errors{service="${service}",env="${environment}",release="${release}",track="${track}"}[${window}]))'


def _window(prometheus: Prometheus, start: float, end: float):  # type: ignore[no-untyped-def]
    place = Place(environment="production", service="shop")
    return PrometheusProvider(prometheus).window(Scope(place, "r2", "candidate", start, end))


def test_a_metric_over_the_whole_window(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.success("vector", [_sample("0.02")])
    metric = MetricSpec(name="errors", query=_QUERY, provider="prometheus")
    assert _window(prometheus, 1000, 1090).number(metric) == 0.02
    wanted = 'sum(rate(errors{service="shop",env="production",release="r2",track="candidate"}[90s]))'
    assert (server.asked[-1]["query"], server.asked[-1]["time"]) == (wanted, "1090.000")


def test_a_metric_over_time_looks_back_one_step_at_each_point(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.success("matrix", [{"metric": {}, "values": [[1030, "0"], [1060, "0.5"], [1090, "NaN"]]}])
    metric = MetricSpec(name="errors", query=_QUERY, provider="prometheus")
    assert _window(prometheus, 1000, 1090).series(metric, 30) == [0.0, 0.5, None]
    asked = server.asked[-1]
    assert (asked["start"], asked["end"], asked["step"]) == ("1030.000", "1090.000", "30.000")
    assert asked["query"].endswith("[30s]))")


def test_a_window_shorter_than_a_step_has_no_series(server: PrometheusServer, prometheus: Prometheus) -> None:
    metric = MetricSpec(name="errors", query=_QUERY, provider="prometheus")
    assert _window(prometheus, 1000, 1010).series(metric, 30) == []
    assert server.asked == []


def test_points_are_never_closer_than_the_scrapes_allow(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.success("matrix", [])
    metric = MetricSpec(name="errors", query=_QUERY, provider="prometheus")
    place = Place(environment="production", service="shop")
    window = PrometheusProvider(prometheus, 30.0).window(Scope(place, "r2", "candidate", 1000, 1200))
    assert window.series(metric, 3.3) == [None] * 6
    asked = server.asked[-1]
    assert (asked["start"], asked["step"]) == ("1030.000", "30.000")
    assert asked["query"].endswith("[30s]))")
    assert window.series(metric, 60) == [None] * 3


def test_a_window_of_less_than_a_second_asks_for_one(server: PrometheusServer, prometheus: Prometheus) -> None:
    server.success("vector", [])
    metric = MetricSpec(name="errors", query="x[${window}]", provider="prometheus")
    assert _window(prometheus, 1000, 1000.2).number(metric) is None
    assert server.asked[-1]["query"] == "x[1s]"
