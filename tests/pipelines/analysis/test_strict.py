"""The judge that rollouts rely on: never kinder than Kayenta's, and nothing passes unseen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelines.analysis.judge import JudgeConfig, MetricPair, MetricRule, judge
from pipelines.analysis.strict import Judgement, judge_strictly
from pipelines.spec.analysis import AnalysisSpec, JudgeSpec, MetricSpec
from tests.support.measurements import track

Points = Sequence[float | None]
Pairs = Mapping[str, tuple[Points, Points]]

_FINE = [1000.0 + step for step in range(10)]
_BAD = [value * 3 for value in _FINE]
_RANK = ["fail", "error", "inconclusive", "pass"]
_VALUES = st.lists(st.one_of(st.none(), st.floats(2000, 9000)), max_size=14)
_PAIRS = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.tuples(_VALUES, _VALUES), min_size=1)


def _metric(name: str, **more: Any) -> MetricSpec:
    return MetricSpec(name=name, query="q", provider="prometheus", **more)


def _judge(pairs: Pairs, metrics: Sequence[MetricSpec] = (), requests: tuple[int, int] = (1000, 1000), **spec: Any) -> Judgement:
    analysis = AnalysisSpec(metrics=list(metrics) or [_metric(name) for name in pairs], judge=JudgeSpec(**spec))
    assert analysis.judge is not None
    candidate, stable = ({name: pair[side] for name, pair in pairs.items()} for side in (0, 1))
    return judge_strictly(analysis, analysis.judge, track(candidate, requests[0]), track(stable, requests[1]))


def _order(outcome: str) -> int:
    return _RANK.index(outcome)


def test_the_same_data_pass() -> None:
    found = _judge({"a": (_FINE, _FINE)})
    assert (found.outcome, found.score, found.classifications) == ("pass", 100.0, {"a": "Pass"})
    assert found.reason == "the judge scores 100 of 100, 95 are needed"


def test_a_worse_metric_fails() -> None:
    found = _judge({"a": (_BAD, _FINE), "b": (_FINE, _FINE)})
    assert (found.outcome, found.score, found.classifications) == ("fail", 50.0, {"a": "High", "b": "Pass"})
    assert found.reason == "the judge scores 50 of 100, 95 are needed: a is high"


def test_a_marginal_score_is_for_people() -> None:
    assert _judge({"a": (_BAD, _FINE), "b": (_FINE, _FINE)}, marginal_score=50).outcome == "inconclusive"


def test_a_critical_metric_fails_whatever_the_thresholds() -> None:
    metrics = [_metric("a", critical=True), _metric("b")]
    found = _judge({"a": (_BAD, _FINE), "b": (_FINE, _FINE)}, metrics, pass_score=0, marginal_score=0)
    assert (found.outcome, found.score) == ("fail", 0.0)
    assert "a is high (critical)" in found.reason
    limited = [_metric("a", critical=True, critical_increase=3.1), _metric("b")]
    assert _judge({"a": (_BAD, _FINE), "b": (_FINE, _FINE)}, limited, marginal_score=50).outcome == "inconclusive"


def test_without_a_stable_release() -> None:
    analysis = AnalysisSpec(metrics=[_metric("a")], judge=JudgeSpec())
    found = judge_strictly(analysis, JudgeSpec(), track({"a": _FINE}), None)
    assert (found.outcome, found.score, found.reason) == ("inconclusive", None, "there is no stable release to compare with")


@pytest.mark.parametrize(("requests", "who"), [((19, 1000), "candidate"), ((1000, 19), "stable release")])
def test_too_few_requests_decide_nothing(requests: tuple[int, int], who: str) -> None:
    found = _judge({"a": (_BAD, _FINE)}, requests=requests)
    assert (found.outcome, found.score) == ("inconclusive", None)
    assert found.reason == f"only 19 requests reached the {who}, 20 are needed"


@pytest.mark.parametrize("points", [1, 2, 4])
@pytest.mark.parametrize("bad", [True, False])
def test_too_few_points_decide_nothing(points: int, bad: bool) -> None:
    few = (_BAD if bad else _FINE)[:points]
    for pair in ((few, _FINE), (_FINE, few), ([*few, *[None] * 50], _FINE)):
        found = _judge({"a": pair}, [_metric("a", critical=True, nan_strategy="replace")])
        assert (found.outcome, found.score, found.classifications) == ("inconclusive", None, {"a": "Nodata"})
        assert found.reason.endswith("points of the candidate and 10 of the stable release") is (pair[1] is _FINE)
        assert f" {points} " in found.reason


def test_fewer_points_than_could_ever_differ_decide_nothing() -> None:
    assert _judge({"a": (_FINE[:4], _FINE[:4])}, min_points=2).outcome == "inconclusive"
    assert _judge({"a": (_FINE[:4], _FINE[:4])}, min_points=2, confidence=0.9).outcome == "pass"


def test_points_that_are_taken_away_as_outliers_do_not_count() -> None:
    spiky = [1.0, 1.0, 1.0, 1.0, 50.0]
    assert _judge({"a": (spiky, _FINE)}, [_metric("a", outliers="remove")]).outcome == "inconclusive"


@pytest.mark.parametrize(("must_have", "label"), [(True, "NodataFailMetric"), (False, "Nodata")])
@pytest.mark.parametrize("points", [[], [None] * 20, [math.nan] * 20])
@pytest.mark.parametrize("nan_strategy", ["remove", "replace"])
@pytest.mark.parametrize("critical", [True, False])
def test_no_data_never_passes(must_have: bool, label: str, points: Points, nan_strategy: str, critical: bool) -> None:
    metrics = [_metric("a", must_have_data=must_have, nan_strategy=nan_strategy, critical=critical), _metric("b")]
    for pair in ((points, _FINE), (_FINE, points), (points, points)):
        found = _judge({"a": pair, "b": (_FINE, _FINE)}, metrics)
        assert (found.outcome, found.score) == ("inconclusive", 100.0)
        assert found.classifications == {"a": label, "b": "Pass"}
        assert "a has no data" in found.reason


def test_a_series_that_was_never_measured_is_no_data() -> None:
    found = _judge({"b": (_FINE, _FINE)}, [_metric("a"), _metric("b")])
    assert (found.outcome, found.classifications["a"]) == ("inconclusive", "NodataFailMetric")


def test_a_metric_in_error_makes_it_an_error() -> None:
    found = _judge({"a": ([*_FINE, math.inf], _FINE), "b": (_FINE, _FINE)})
    assert (found.outcome, found.score, found.classifications) == ("error", 100.0, {"a": "Error", "b": "Pass"})
    assert "not finite" in found.reason


def test_a_failure_is_not_hidden_by_an_error() -> None:
    found = _judge({"a": ([*_FINE, math.inf], _FINE), "b": (_BAD, _FINE), "c": ([], [])})
    assert (found.outcome, found.score) == ("fail", 0.0)


def test_a_dry_run_metric_is_told_and_decides_nothing() -> None:
    pairs: Pairs = {"a": (_BAD, _FINE), "b": (_FINE, _FINE)}
    found = _judge(pairs, [_metric("a", dry_run=True, critical=True), _metric("b")])
    assert (found.outcome, found.score, found.classifications) == ("pass", 100.0, {"a": "High", "b": "Pass"})
    assert _judge({"a": (_FINE, _FINE)}, [_metric("a", dry_run=True)]).outcome == "inconclusive"


def test_a_group_without_evidence_loses_its_weight() -> None:
    metrics = [_metric("a", group="x"), _metric("b", group="y"), _metric("c", group="z")]
    pairs: Pairs = {"a": (_BAD, _FINE), "b": (_FINE, _FINE), "c": ([], [])}
    assert _judge(pairs, metrics, group_weights={"x": 30, "y": 10, "z": 60}).score == 25.0
    only_weightless = _judge({"a": (_FINE, _FINE), "c": ([], [])}, [metrics[0], metrics[2]], group_weights={"x": 0, "z": 100})
    assert (only_weightless.outcome, only_weightless.score) == ("inconclusive", None)


@pytest.mark.parametrize("weights", [{"x": 150, "y": -50}, {"x": 150}, {"x": 1, "y": 1}, {"x": -5, "y": 20}])
def test_odd_weights_keep_the_score_in_range(weights: dict[str, float]) -> None:
    metrics = [_metric("a", group="x"), _metric("b", group="y")]
    for first in (_BAD, _FINE):
        for second in (_BAD, _FINE):
            score = _judge({"a": (first, _FINE), "b": (second, _FINE)}, metrics, group_weights=weights).score
            assert score is not None
            assert 0 <= score <= 100


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize(("shift", "outcome"), [(0.0, "pass"), (0.05, "fail"), (1.0, "fail")])
def test_the_unit_does_not_matter(unit: float, shift: float, outcome: str) -> None:
    random = np.random.default_rng(7)
    stable, candidate = random.normal(100, 10, 30), random.normal(100, 10, 30) * (1 + shift)
    assert _judge({"a": ((candidate * unit).tolist(), (stable * unit).tolist())}).outcome == outcome


def test_kayenta_alone_would_miss_a_difference_in_a_small_unit() -> None:
    random = np.random.default_rng(7)
    stable, candidate = random.normal(1e-5, 2e-6, 30), random.normal(2e-5, 4e-6, 30)
    kayenta = judge(JudgeConfig({"a": MetricRule(groups=("g",))}), [MetricPair("a", candidate, stable)])
    assert kayenta.classification == "Pass"
    assert _judge({"a": (candidate.tolist(), stable.tolist())}).outcome == "fail"


@pytest.mark.parametrize(
    ("builtin", "outcome"), [("error-rate", "pass"), ("latency-p95", "pass"), ("success-rate", "fail"), ("request-rate", "fail")]
)
def test_built_in_metrics_know_what_is_bad(builtin: str, outcome: str) -> None:
    metric = MetricSpec(name="a", builtin=builtin)  # type: ignore[arg-type]
    assert _judge({"a": (_FINE, _BAD)}, [metric]).outcome == outcome
    asked = metric.model_copy(update={"direction": "either"})
    assert _judge({"a": (_FINE, _BAD)}, [asked]).outcome == "fail"


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"effect_size": 2.1}, "pass"),
        ({"effect_size": 1.9}, "fail"),
        ({"allowed_increase": 3.1}, "pass"),
        ({"allowed_increase": 2.9, "effect_size": 9.0}, "fail"),
        ({"effect_measure": "cles", "effect_size": 0.4}, "fail"),
        ({"effect_measure": "cles", "allowed_increase": 1.1}, "pass"),
        ({"direction": "decrease"}, "pass"),
        ({"direction": "increase"}, "fail"),
    ],
)
def test_how_large_a_change_is_tolerated(more: dict[str, Any], outcome: str) -> None:
    assert _judge({"a": (_BAD, _FINE)}, [_metric("a", **more)]).outcome == outcome


def test_how_large_a_decrease_is_tolerated() -> None:
    for more, outcome in (({"effect_size": 0.5}, "fail"), ({"effect_size": 0.7}, "pass"), ({"allowed_decrease": 0.3}, "pass")):
        assert _judge({"a": (_FINE, _BAD)}, [_metric("a", **more)]).outcome == outcome


@settings(deadline=None)
@given(_PAIRS)
def test_what_passes_here_passes_with_kayenta(pairs: Pairs) -> None:
    found = _judge(pairs)
    assert found.score is None or 0 <= found.score <= 100
    rules = {name: MetricRule(groups=("default",), must_have_data=True) for name in pairs}
    kayenta = judge(JudgeConfig(rules), [MetricPair(name, *pair) for name, pair in pairs.items()])
    if found.outcome == "pass":
        assert (kayenta.classification, kayenta.score) == ("Pass", found.score)


@settings(deadline=None)
@given(
    _PAIRS,
    st.sampled_from([([math.inf] * 6, _FINE), ([], _FINE), ([None] * 20, [None] * 20), (_FINE[:2], _FINE)]),
    st.sampled_from(["default", "other"]),
    st.booleans(),
    st.sampled_from([{}, {"default": 100.0}, {"default": 60.0}, {"default": 30.0, "other": 70.0}]),
)
def test_a_metric_that_cannot_be_judged_never_improves_anything(
    pairs: Pairs, broken: tuple[Points, Points], group: str, critical: bool, weights: dict[str, float]
) -> None:
    metrics = [_metric(name) for name in pairs]
    before = _judge(pairs, metrics, group_weights=weights)
    more = [*metrics, _metric("broken", group=group, critical=critical, must_have_data=False)]
    after = _judge({**pairs, "broken": broken}, more, group_weights=weights)
    assert after.outcome != "pass"
    assert _order(after.outcome) <= _order(before.outcome)
    assert after.score == before.score


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(5, 40), st.floats(0, 5), st.floats(0, 5))
def test_a_worse_candidate_is_never_judged_better(seed: int, count: int, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assume(more - less > 0.01)
    random = np.random.default_rng(seed)
    stable, candidate = random.normal(3000, 200, count), random.normal(3000, 200, count)
    metric = [_metric("a", direction="increase")]
    mild, severe = (
        _judge({"a": ((candidate + 3000 * worse).tolist(), stable.tolist())}, metric, tolerance=0.0) for worse in (less, more)
    )
    assert _order(severe.outcome) <= _order(mild.outcome)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=5, max_size=40))
def test_identical_data_always_pass(values: list[float]) -> None:
    assert _judge({"a": (values, values[::-1])}, [_metric("a", critical=True)]).outcome == "pass"
