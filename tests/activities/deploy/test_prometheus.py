"""Prometheus' API, played by a local server with answers as its documentation has them."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from activities.clients.prometheus import Prometheus, fill
from pipelines.errors import SettingsError, SpecError, Throttled, Unavailable
from tests.support.ports import free_port


class _Server(http.server.ThreadingHTTPServer):
    """Answers each path with what was put there; remembers the last form it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = 200, b""
        self.asked: dict[str, Any] = {}

    def play(self, body: object, status: int = 200) -> None:
        self.status, self.body = status, json.dumps(body).encode() if not isinstance(body, bytes) else body

    def success(self, kind: str, result: object) -> None:
        self.play({"status": "success", "data": {"resultType": kind, "result": result}})


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked = {"path": self.path, **{key: values[0] for key, values in form.items()}}
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server()
    threading.Thread(target=lambda: made.serve_forever(0.02), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def prometheus(server: _Server) -> Prometheus:
    return Prometheus(f"http://127.0.0.1:{server.server_port}/")


def _sample(value: str) -> dict[str, Any]:
    return {"metric": {"job": "shop"}, "value": [1435781451.781, value]}


@pytest.mark.parametrize(("text", "number"), [("0.25", 0.25), ("1e3", 1000.0), ("NaN", None), ("+Inf", None), ("-Inf", None)])
def test_a_vector_of_one_is_a_number(server: _Server, prometheus: Prometheus, text: str, number: float | None) -> None:
    server.success("vector", [_sample(text)])
    assert prometheus.number("up", 1435781451.781) == number
    assert server.asked == {"path": "/api/v1/query", "query": "up", "time": "1435781451.781"}


def test_an_empty_vector_is_no_number(server: _Server, prometheus: Prometheus) -> None:
    server.success("vector", [])
    assert prometheus.number("up", 1) is None


def test_a_scalar(server: _Server, prometheus: Prometheus) -> None:
    server.success("scalar", [1435781451.781, "1.5"])
    assert prometheus.number("1.5", 1) == 1.5


def test_several_series_are_the_users_mistake(server: _Server, prometheus: Prometheus) -> None:
    server.success("vector", [_sample("1"), _sample("2")])
    with pytest.raises(SpecError, match="gives 2 series"):
        prometheus.number("up", 1)
    server.success("matrix", [{"metric": {}, "values": []}, {"metric": {}, "values": []}])
    with pytest.raises(SpecError, match="gives 2 series"):
        prometheus.series("up", 0, 30, 15)


def test_a_series_has_a_place_for_every_step(server: _Server, prometheus: Prometheus) -> None:
    server.success("matrix", [{"metric": {}, "values": [[1000, "1"], [1030, "NaN"], [1045, "4"]]}])
    assert prometheus.series("up", 1000, 1060, 15) == [1.0, None, None, 4.0, None]
    assert (server.asked["start"], server.asked["end"], server.asked["step"]) == ("1000.000", "1060.000", "15.000")


def test_a_series_that_does_not_exist(server: _Server, prometheus: Prometheus) -> None:
    server.success("matrix", [])
    assert prometheus.series("up", 0, 30, 15) == [None, None, None]


def test_a_query_that_prometheus_refuses_is_the_users_mistake(server: _Server, prometheus: Prometheus) -> None:
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
    server: _Server, prometheus: Prometheus, status: int, body: object, error: type[Exception]
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
