"""One measurement, one verdict: thresholds and judge together."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.analysis.verdict import assess
from pipelines.measurement import TrackMeasured
from pipelines.messages.deploy import MeasureInput, Place, Verdict
from pipelines.spec.analysis import AnalysisSpec, JudgeSpec, MetricSpec
from tests.support.measurements import measured, track

_FINE = [0.1 + step / 100 for step in range(10)]
_BAD = [value * 3 for value in _FINE]
_RANK = ["fail", "error", "inconclusive", "pass"]


def _metric(name: str = "a", **more: Any) -> MetricSpec:
    return MetricSpec(name=name, builtin="latency-p95", **more)


def _wanted(*metrics: MetricSpec, judge: JudgeSpec | None = None, ask: bool = False) -> MeasureInput:
    analysis = AnalysisSpec(metrics=list(metrics), judge=judge)
    place = Place(environment="production", service="shop")
    return MeasureInput(place=place, candidate="r2", stable="r1", analysis=analysis, since=0.0, window=60.0, judge=ask)


def _by_threshold(value: float | None, requests: int = 100, **thresholds: Any) -> Verdict:
    candidate = track({}, requests, {"a": value})
    return assess(_wanted(_metric(**thresholds)), measured(candidate, track({}, 500)))


def _judged(candidate: TrackMeasured, stable: TrackMeasured | None, *metrics: MetricSpec, **judge: Any) -> Verdict:
    return assess(_wanted(*(metrics or (_metric(),)), judge=JudgeSpec(**judge), ask=True), measured(candidate, stable))


@pytest.mark.parametrize(
    ("value", "outcome"), [(0.1, "pass"), (0.2, "pass"), (0.3, "pass"), (0.31, "fail"), (0.09, "fail"), (0.0, "fail")]
)
def test_thresholds_include_their_own_value(value: float, outcome: str) -> None:
    found = _by_threshold(value, success_min=0.1, success_max=0.3)
    assert (found.outcome, found.outcomes) == (outcome, {"a": outcome})
    assert (found.values, found.requests) == ({"a": value}, {"candidate": 100, "stable": 500})
    assert (found.judged, found.score, found.classifications) == (None, None, {})


def test_why_a_threshold_failed() -> None:
    assert _by_threshold(0.5, success_max=0.3).reason == "a is 0.5, more than 0.3"
    assert _by_threshold(0.5, success_min=0.9).reason == "a is 0.5, less than 0.9"


@pytest.mark.parametrize("value", [None, math.nan])
def test_no_number_is_inconclusive(value: float | None) -> None:
    found = _by_threshold(value, success_max=1.0)
    assert (found.outcome, found.reason) == ("inconclusive", "a has no data")


def test_no_traffic_is_inconclusive_however_good_or_bad() -> None:
    for value in (0.0, 99.0):
        found = _by_threshold(value, requests=19, success_max=1.0)
        assert (found.outcome, found.reason) == ("inconclusive", "only 19 requests reached the candidate, 20 are needed")


def test_the_worst_metric_decides_and_a_dry_run_one_does_not() -> None:
    candidate = track({}, values={"a": 1.0, "b": None, "c": 5.0})
    metrics = [_metric("a", success_max=2.0), _metric("b", success_max=2.0), _metric("c", success_max=2.0)]
    assert assess(_wanted(*metrics), measured(candidate, None)).outcome == "fail"
    dry = [*metrics[:2], _metric("c", success_max=2.0, dry_run=True)]
    found = assess(_wanted(*dry), measured(candidate, None))
    assert (found.outcome, found.outcomes) == ("inconclusive", {"a": "pass", "b": "inconclusive", "c": "fail"})
    assert found.requests == {"candidate": 1000}


def test_only_dry_run_metrics_decide_nothing() -> None:
    assert assess(_wanted(_metric(dry_run=True)), measured(track({}, values={"a": 1.0}), None)).outcome == "inconclusive"


def test_the_judge_speaks_only_where_it_is_asked() -> None:
    found = assess(_wanted(_metric(), judge=JudgeSpec()), measured(track({"a": _BAD}), track({"a": _FINE})))
    assert (found.outcome, found.outcomes, found.judged) == ("pass", {"a": "measured"}, None)
    nobody = assess(_wanted(_metric(success_max=9.0), ask=True), measured(track({"a": _BAD}), track({"a": _FINE})))
    assert (nobody.outcome, nobody.judged) == ("pass", None)


def test_the_judge_passes_the_same_data() -> None:
    found = _judged(track({"a": _FINE}), track({"a": _FINE}))
    assert (found.outcome, found.judged, found.score, found.classifications) == ("pass", "pass", 100.0, {"a": "Pass"})
    assert found.reason == f"a is {_FINE[-1]:.4g}; the judge scores 100 of 100, 95 are needed"


def test_the_judge_fails_what_thresholds_let_pass() -> None:
    found = _judged(track({"a": _BAD}), track({"a": _FINE}), _metric(success_max=9.0))
    assert (found.outcome, found.outcomes, found.judged, found.score) == ("fail", {"a": "pass"}, "fail", 0.0)
    assert found.reason == "the judge scores 0 of 100, 95 are needed: a is high"


def test_thresholds_fail_what_the_judge_lets_pass() -> None:
    found = _judged(track({"a": _FINE}), track({"a": _FINE}), _metric(success_max=0.01))
    assert (found.outcome, found.outcomes, found.judged) == ("fail", {"a": "fail"}, "pass")


def test_a_metric_in_error_is_an_error() -> None:
    found = _judged(
        track({"a": [*_FINE, math.inf], "b": _FINE}, values={"a": 0.1, "b": 0.1}),
        track({"a": _FINE, "b": _FINE}),
        _metric("a"),
        _metric("b"),
    )
    assert (found.outcome, found.judged, found.classifications) == ("error", "error", {"a": "Error", "b": "Pass"})


def test_without_a_stable_release_the_judge_cannot_tell() -> None:
    found = _judged(track({"a": _FINE}), None, _metric(success_max=9.0))
    assert (found.outcome, found.judged, found.outcomes) == ("inconclusive", "inconclusive", {"a": "pass"})


_POINTS = st.lists(st.one_of(st.none(), st.floats(0, 10)), max_size=12)


@settings(deadline=None)
@given(_POINTS, _POINTS, st.integers(0, 40), st.one_of(st.none(), st.floats(0, 10)))
def test_the_judge_only_ever_makes_a_verdict_worse(
    candidate: list[float | None], stable: list[float | None], requests: int, limit: float | None
) -> None:
    metric = _metric(success_max=limit)
    numbers = measured(track({"a": candidate}, requests), track({"a": stable}, requests))
    without = assess(_wanted(metric), numbers)
    found = assess(_wanted(metric, judge=JudgeSpec(), ask=True), numbers)
    assert _RANK.index(found.outcome) <= _RANK.index(without.outcome)
    assert found.outcomes == without.outcomes
    assert found.judged is not None
    assert _RANK.index(found.outcome) <= _RANK.index(found.judged)
    assert found.reason
