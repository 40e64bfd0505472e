"""All metrics together, as NetflixACAJudge does it, unsafe parts included."""

from __future__ import annotations

import math

import pytest

from pipelines.analysis.judge import JudgeConfig, Judgement, MetricPair, MetricRule, judge

_FINE = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
_BAD = [value * 10 for value in _FINE]


def _judge(*metrics: tuple[str, list[float], list[float], MetricRule], **config: float) -> Judgement:
    rules = {name: rule for name, _, _, rule in metrics}
    pairs = [MetricPair(name, experiment, control) for name, experiment, control, _ in metrics]
    return judge(JudgeConfig(rules, **config), pairs)  # type: ignore[arg-type]


def _rule(group: str = "g", **more: object) -> MetricRule:
    return MetricRule(groups=(group,), **more)  # type: ignore[arg-type]


def test_all_is_well() -> None:
    found = _judge(("a", _FINE, _FINE, _rule()), ("b", _FINE[::-1], _FINE, _rule("h")))
    assert (found.score, found.classification, found.reason) == (100.0, "Pass", "")
    assert [result.name for result in found.results] == ["a", "b"]
    assert [group.name for group in found.groups] == ["g", "h"]


@pytest.mark.parametrize(("marginal", "expected"), [(50.0, "Marginal"), (50.01, "Fail")])
def test_half_is_bad(marginal: float, expected: str) -> None:
    found = _judge(("a", _BAD, _FINE, _rule()), ("b", _FINE, _FINE, _rule()), marginal_score=marginal)
    assert (found.score, found.classification) == (50.0, expected)


def test_a_critical_metric_fails_it_all() -> None:
    others = [(name, _FINE, _FINE, _rule()) for name in "bcdefgh"]
    found = _judge(("a", _BAD, _FINE, _rule(critical=True)), *others)
    assert (found.score, found.classification, found.reason) == (0.0, "Fail", "a is high (critical)")


def test_a_muted_metric_is_told_and_not_counted() -> None:
    found = _judge(("a", _BAD, _FINE, _rule(muted=True, critical=True)), ("b", _FINE, _FINE, _rule()))
    assert (found.score, found.classification) == (100.0, "Pass")
    assert (found.results[0].label, found.results[0].muted) == ("High", True)


def test_as_kayenta_has_it_a_critical_metric_in_error_is_left_out() -> None:
    found = _judge(("a", [math.inf, *_FINE], _FINE, _rule(critical=True)), ("b", _FINE, _FINE, _rule()))
    assert (found.score, found.classification) == (100.0, "Pass")
    error = found.results[0]
    assert (error.label, error.critical, error.deviation) == ("Error", False, None)
    assert "not finite" in error.reason


def test_one_value_a_side_is_an_error() -> None:
    assert _judge(("a", [3.0], [1.0], _rule())).results[0].label == "Error"


def test_outliers_and_missing_values_go_first() -> None:
    noisy = [*_FINE * 4, math.nan, 1e9]
    assert _judge(("a", noisy, _FINE * 4, _rule(outliers="remove"))).results[0].reason.endswith("identical on both sides")


def test_a_metric_without_a_rule_is_refused() -> None:
    with pytest.raises(KeyError):
        judge(JudgeConfig({}), [MetricPair("a", _FINE, _FINE)])
