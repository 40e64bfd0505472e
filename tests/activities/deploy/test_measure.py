"""Real requests through a real Traefik, measured by release, across restarts of proxy and worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from activities.clients.metrics import PrometheusProvider
from activities.clients.prometheus import Prometheus
from activities.clients.proxy_metrics import ProxyMetrics, read
from activities.deploy import Deploy
from activities.measure import Measure
from activities.records import Records
from activities.records.migrate import upgrade
from activities.traffic import Traffic
from pipelines.errors import SettingsError, SpecError, Unavailable
from pipelines.measurement import Measured
from pipelines.messages.deploy import MeasureInput, Verdict
from pipelines.spec.analysis import AnalysisSpec, JudgeSpec, MetricSpec
from tests.support.load import load
from tests.support.releases import Bench, until

_METRICS = [
    MetricSpec(name="errors", builtin="error-rate"),
    MetricSpec(name="success", builtin="success-rate"),
    MetricSpec(name="slow", builtin="latency-p95"),
    MetricSpec(name="mean", builtin="latency-mean"),
    MetricSpec(name="rate", builtin="request-rate"),
]


class Setup:
    """The measuring half of an installation; `again` is what a new worker would have."""

    def __init__(self, bench: Bench, url: str) -> None:
        self.bench = bench
        self.url = url
        self.seen: list[Measured] = []
        self.again()

    def again(self) -> None:
        self.records = Records(self.url)
        self.proxy = ProxyMetrics(self.bench.traefik.api(), self.records.samples)
        routers = {"local": self.bench.router}
        self.measure = Measure(self.proxy, {"prometheus": PrometheusProvider(Prometheus(""))}, routers, self._assess)
        self.bench.traffic = Traffic({"local": self.bench.target}, routers, self.measure.before_route)
        self.bench.deploy = Deploy({"local": self.bench.target}, routers, 0.1, self.measure.on_look)

    def _assess(self, wanted: MeasureInput, measured: Measured) -> Verdict:
        self.seen.append(measured)
        return Verdict(outcome="pass", requests={"candidate": measured.candidate.requests})

    def ask(self, since: float, metrics: list[MetricSpec] | None = None, judge: bool = False) -> Measured:
        wanted = MeasureInput(
            place=self.bench.place,
            candidate="r2",
            stable="r1",
            analysis=AnalysisSpec(metrics=metrics or _METRICS, judge=JudgeSpec()),
            since=since,
            window=60.0,
            judge=judge,
        )
        assert self.measure.measure(wanted).outcome == "pass"
        return self.seen[-1]


@pytest.fixture
def setup(bench: Bench, tmp_path: Path) -> Iterator[Setup]:
    url = f"sqlite:///{tmp_path}/records.sqlite"
    upgrade(url)
    made = Setup(bench, url)
    bench.ensure(bench.release("r1"))
    bench.ensure(bench.release("r2", env={"BROKEN": "yes"}))
    yield made
    made.records.close()


def _send(setup: Setup, count: int) -> None:
    url = setup.bench.traefik.addresses.of(setup.bench.place)
    with load(url, rate=200, most=count) as seen:
        until(lambda: seen.answered + len(seen.failures) == count, "all are answered")


def test_releases_are_told_apart(setup: Setup) -> None:
    since = time.time()
    setup.bench.route({"r1": 80, "r2": 20})
    _send(setup, 100)
    measured = setup.ask(since)
    assert measured.stable is not None
    assert (measured.candidate.requests, measured.stable.requests) == (20, 80)
    assert (measured.candidate.values["errors"], measured.stable.values["errors"]) == (1.0, 0.0)
    assert (measured.candidate.values["success"], measured.stable.values["success"]) == (0.0, 1.0)
    for name in ("slow", "mean"):
        assert 0 < (measured.stable.values[name] or 0) < 1
    assert measured.stable.values["rate"] == pytest.approx(4 * (measured.candidate.values["rate"] or 0))
    assert measured.candidate.series == {}


def test_no_request_is_no_number(setup: Setup) -> None:
    since = time.time()
    setup.bench.route({"r1": 100})
    _send(setup, 10)
    measured = setup.ask(since)
    assert measured.candidate.requests == 0
    assert set(measured.candidate.values.values()) == {None}
    assert set(measured.candidate.values) == {metric.name for metric in _METRICS}


def test_only_the_window_counts(setup: Setup) -> None:
    setup.bench.route({"r1": 50, "r2": 50})
    _send(setup, 20)
    setup.ask(time.time() - 60)
    since = time.time()
    _send(setup, 30)
    assert setup.ask(since).candidate.requests == 15


def test_a_proxy_that_was_killed_in_between_and_a_new_worker(setup: Setup) -> None:
    since = time.time()
    setup.bench.route({"r1": 50, "r2": 50})
    _send(setup, 20)
    setup.ask(since)
    setup.bench.traefik.kill()
    setup.again()
    setup.bench.traefik.start()
    url = setup.bench.traefik.addresses.of(setup.bench.place)
    until(lambda: httpx.get(url).status_code in (200, 500), "it serves again")
    _send(setup, 29)
    measured = setup.ask(since)
    assert measured.stable is not None
    assert measured.candidate.requests + measured.stable.requests == pytest.approx(50, abs=3)


def test_preview_requests_are_not_measured(setup: Setup) -> None:
    since = time.time()
    routed = setup.bench.route({"r1": 100}, preview="r2")
    assert httpx.get(routed.preview_address).status_code == 500
    assert setup.ask(since).candidate.requests == 0


async def test_a_watch_takes_samples_all_along_and_the_judge_gets_series(setup: Setup) -> None:
    import asyncio

    since = time.time()
    setup.bench.route({"r1": 50, "r2": 50})
    watch = asyncio.create_task(setup.bench.deploy.watch(setup.bench.release("r2")))
    for _ in range(4):
        await asyncio.to_thread(_send, setup, 10)
        await asyncio.sleep(1.0)
    watch.cancel()
    measured = await asyncio.to_thread(setup.ask, since, None, True)
    assert measured.stable is not None
    assert len(measured.candidate.series["errors"]) >= 3
    assert set(measured.candidate.series["errors"]) <= {1.0, None}
    assert set(measured.stable.series["errors"]) <= {0.0, None}
    assert measured.candidate.requests == 20


def test_a_proxy_that_does_not_answer_does_not_hold_up_a_watch(setup: Setup) -> None:
    setup.bench.route({"r1": 50, "r2": 50})
    setup.bench.traefik.kill()
    setup.measure.on_look(setup.bench.place, 0.0)
    with pytest.raises(Unavailable):
        setup.ask(time.time())


def test_metrics_that_ask_the_wrong_provider(setup: Setup) -> None:
    setup.bench.route({"r1": 50, "r2": 50})
    with pytest.raises(SpecError, match="has no 'query'"):
        setup.ask(0, [MetricSpec(name="a", builtin="error-rate", provider="prometheus")])
    with pytest.raises(SettingsError, match="no Prometheus is configured"):
        setup.ask(0, [MetricSpec(name="a", query="up", provider="prometheus")])
    setup.ask(time.time() - 60)
    with pytest.raises(SpecError, match="has no 'builtin'"):
        setup.ask(time.time() - 60, [MetricSpec(name="a", query="up")])


def test_reading_traefiks_metrics() -> None:
    text = """
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.79545833531e+09
# TYPE traefik_service_requests_total counter
traefik_service_requests_total{code="200",method="GET",protocol="http",service="a_b_r1@file"} 3
traefik_service_requests_total{code="200",method="POST",protocol="http",service="a_b_r1@file"} 2
traefik_service_requests_total{code="502",method="GET",protocol="http",service="a_b_r1@file"} 1
# TYPE traefik_service_request_duration_seconds histogram
traefik_service_request_duration_seconds_bucket{code="200",method="GET",protocol="http",service="a_b_r1@file",le="0.1"} 2
traefik_service_request_duration_seconds_bucket{code="200",method="GET",protocol="http",service="a_b_r1@file",le="+Inf"} 3
traefik_service_request_duration_seconds_bucket{code="502",method="GET",protocol="http",service="a_b_r1@file",le="+Inf"} 1
traefik_service_request_duration_seconds_sum{code="200",method="GET",protocol="http",service="a_b_r1@file"} 0.75
traefik_service_request_duration_seconds_count{code="200",method="GET",protocol="http",service="a_b_r1@file"} 3
"""
    found = read(text, 10.0)
    counters = found["a_b_r1@file"]
    assert (counters.at, counters.process, counters.requests, counters.seconds) == (10.0, 1795458335.31, 6, 0.75)
    assert (counters.codes, counters.buckets) == ({"200": 5, "502": 1}, {"0.1": 2, "+Inf": 4})
    assert found[""].requests == 0
