"""From counters and from Prometheus to a verdict and a decision: the whole way of a measurement, without waiting for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activities.clients.metrics import PrometheusProvider
from activities.clients.prometheus import Prometheus
from activities.clients.proxy_metrics import ProxyMetrics
from activities.clients.traefik_api import TraefikApi
from activities.measure import Measure
from activities.records import Records
from activities.records.migrate import upgrade
from activities.records.samples import Sample
from pipelines.analysis.tally import Tally
from pipelines.analysis.verdict import assess
from pipelines.counters import Counters
from pipelines.messages.deploy import MeasureInput, Place, Verdict
from pipelines.spec.analysis import AnalysisSpec, JudgeSpec, MetricSpec
from tests.support.ports import free_port
from tests.support.prometheus import PrometheusServer

_PLACE = Place(environment="production", service="shop")
_NOW = 1_800_000_000.0
_BUILTIN = [MetricSpec(name="errors", builtin="error-rate"), MetricSpec(name="slow", builtin="latency-mean")]
_QUERY = MetricSpec(name="queue", query='depth{track="${track}"}[${window}]', provider="prometheus", direction="increase")


class Installation:
    def __init__(self, records: Records, server: PrometheusServer) -> None:
        self.samples = records.samples
        self.server = server
        proxy = ProxyMetrics(TraefikApi(f"http://127.0.0.1:{free_port()}"), records.samples)
        self._measure = Measure(proxy, {"prometheus": PrometheusProvider(Prometheus(server.url), 30.0)}, {}, assess)

    def served(self, release: str, errors: float, latency: float, seconds: int = 120, rate: int = 20) -> None:
        """Samples of one every second, with a little chance in how many fail and how long they take."""
        random = np.random.default_rng(len(release) + int(1000 * errors))
        at, failed, total, spent = _NOW - seconds, 0, 0, 0.0
        samples = []
        for _ in range(seconds + 1):
            codes = {"200": float(total - failed), "500": float(failed)}
            counters = Counters(at=at, process=1.0, codes=codes, seconds=spent)
            samples.append(Sample(place=_PLACE.key, release_id=release, at=at, payload=counters.model_dump(exclude={"at"})))
            at, total = at + 1, total + rate
            failed += int(random.binomial(rate, errors))
            spent += rate * latency * float(random.uniform(0.9, 1.1))
        self.samples.store_all(samples)

    def verdict(self, metrics: list[MetricSpec], seconds: float = 120.0, **judge: Any) -> Verdict:
        wanted = MeasureInput(
            place=_PLACE,
            candidate="r2",
            stable="r1",
            analysis=AnalysisSpec(metrics=metrics, judge=JudgeSpec(**judge)),
            since=_NOW - seconds,
            window=seconds,
            judge=True,
        )
        return assess(wanted, self._measure.collect(wanted, _NOW))


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    url = f"sqlite:///{tmp_path}/records.sqlite"
    upgrade(url)
    records, server = Records(url), PrometheusServer()
    server.start()
    yield Installation(records, server)
    server.stop()
    records.close()


def _decided(verdict: Verdict, metrics: list[MetricSpec]) -> str:
    return Tally().add(verdict, AnalysisSpec(metrics=metrics, judge=JudgeSpec())).decision


def test_an_equal_candidate_is_promoted(installation: Installation) -> None:
    installation.served("r1", errors=0.02, latency=0.1)
    installation.served("r2", errors=0.02, latency=0.1, rate=2)
    found = installation.verdict(_BUILTIN)
    assert (found.outcome, found.judged, found.score) == ("pass", "pass", 100.0)
    assert found.classifications == {"errors": "Pass", "slow": "Pass"}
    assert _decided(found, _BUILTIN) == "pass"


@pytest.mark.parametrize(("errors", "latency", "bad"), [(0.4, 0.1, "errors"), (0.02, 0.2, "slow")])
def test_a_worse_candidate_is_turned_back(installation: Installation, errors: float, latency: float, bad: str) -> None:
    installation.served("r1", errors=0.02, latency=0.1)
    installation.served("r2", errors=errors, latency=latency, rate=5)
    found = installation.verdict(_BUILTIN)
    assert (found.outcome, found.judged, found.score) == ("fail", "fail", 50.0)
    assert found.classifications[bad] == "High"
    assert found.reason.endswith(f": {bad} is high")
    assert _decided(found, _BUILTIN) == "fail"


def test_a_better_candidate_is_promoted(installation: Installation) -> None:
    installation.served("r1", errors=0.4, latency=0.2)
    installation.served("r2", errors=0.0, latency=0.1)
    assert installation.verdict(_BUILTIN).judged == "pass"


@pytest.mark.parametrize("seconds", [30, 120, 3000])
def test_windows_of_any_length_have_points_enough(installation: Installation, seconds: int) -> None:
    for release in ("r1", "r2"):
        installation.served(release, errors=0.0, latency=0.1, seconds=seconds, rate=2)
    assert installation.verdict(_BUILTIN, seconds).judged == "pass"


def test_a_window_too_short_for_points_is_inconclusive(installation: Installation) -> None:
    for release in ("r1", "r2"):
        installation.served(release, errors=0.0, latency=0.1, seconds=4)
    found = installation.verdict(_BUILTIN, 4)
    assert (found.outcome, found.judged) == ("inconclusive", "inconclusive")
    assert "errors has only 4 points" in found.reason
    assert _decided(found, _BUILTIN) == "continue"


def test_stable_without_traffic_is_inconclusive(installation: Installation) -> None:
    installation.served("r1", errors=0.0, latency=0.1, rate=0)
    installation.served("r2", errors=0.0, latency=0.1)
    found = installation.verdict(_BUILTIN)
    assert (found.judged, found.score) == ("inconclusive", None)
    assert "only 0 requests reached the stable release" in found.reason


def _played(candidate: float, stable: float, gaps: Callable[[int], bool] = lambda _: False) -> Callable[..., tuple[str, object]]:
    """A gauge that moves by a tenth around its level; where `gaps`, Prometheus has no value."""

    def answer(asked: dict[str, Any]) -> tuple[str, object]:
        level = candidate if 'track="candidate"' in asked["query"] else stable
        if asked["path"].endswith("/query"):
            return "vector", [{"metric": {}, "value": [float(asked["time"]), str(level)]}]
        start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
        places = [index for index in range(int((end - start) / step + 1e-9) + 1) if not gaps(index)]
        return "matrix", [
            {"metric": {}, "values": [[start + index * step, str(level * (1 + (index % 3 - 1) / 10))] for index in places]}
        ]

    return answer


@pytest.mark.parametrize(("candidate", "judged"), [(3.0, "pass"), (30.0, "fail"), (0.3, "pass")])
def test_prometheus_series_are_judged(installation: Installation, candidate: float, judged: str) -> None:
    for release in ("r1", "r2"):
        installation.served(release, errors=0.0, latency=0.1, seconds=600)
    installation.server.answer = _played(candidate, 3.0)
    found = installation.verdict([_QUERY], 600)
    assert (found.judged, found.outcome, found.values) == (judged, judged, {"queue": candidate})
    assert all("[30s]" in asked["query"] for asked in installation.server.asked if asked["path"].endswith("_range"))


def test_prometheus_with_gaps(installation: Installation) -> None:
    for release in ("r1", "r2"):
        installation.served(release, errors=0.0, latency=0.1, seconds=600)
    installation.server.answer = _played(3.0, 3.0, gaps=lambda index: index % 2 == 0)
    assert installation.verdict([_QUERY], 600).judged == "pass"
    installation.server.answer = _played(3.0, 3.0, gaps=lambda index: index > 2)
    few = installation.verdict([_QUERY], 600)
    assert (few.judged, few.classifications) == ("inconclusive", {"queue": "Nodata"})
    installation.server.answer = _played(3.0, 3.0, gaps=lambda _: True)
    nothing = installation.verdict([_QUERY], 600)
    assert (nothing.judged, nothing.classifications) == ("inconclusive", {"queue": "NodataFailMetric"})


def test_a_short_window_has_too_few_scrapes(installation: Installation) -> None:
    for release in ("r1", "r2"):
        installation.served(release, errors=0.0, latency=0.1)
    installation.server.answer = _played(3.0, 3.0)
    found = installation.verdict([_QUERY], 120)
    assert found.judged == "inconclusive"
    assert "queue has only 4 points of the candidate and 4 of the stable release" in found.reason
