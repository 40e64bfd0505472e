"""What an analysis must keep to be worth making: told with the place in the definition and a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.rules.analysis import analyses
from pipelines.spec import Pipeline

_METRIC = {"name": "errors", "builtin": "error-rate", "successMax": 0.01}
_STRATEGIES: dict[str, dict[str, Any]] = {
    "canary": {"strategy": "canary", "steps": [{"setWeight": 10}, {"analysis": True}]},
    "blue-green": {"strategy": "blue-green"},
    "rolling": {"strategy": "rolling"},
}


def _complaints(strategy: str = "canary", **analysis: Any) -> list[tuple[str, str]]:
    """Place below the analysis, and message."""
    rollout = {**_STRATEGIES[strategy], "analysis": {"metrics": [_METRIC], **analysis}}
    pack = {"steps": [{"run": "ok"}], "artifacts": [{"name": "app", "paths": ["dist"]}]}
    stage = {"needs": ["pack"], "environment": "prod", "release": {"process": {"command": "serve"}}, "rollout": rollout}
    pipeline = Pipeline.model_validate({"name": "ship", "service": "shop", "stages": {"pack": pack, "deploy": stage}})
    found = []
    for complaint in analyses(pipeline):
        assert complaint.path[:4] == ("stages", "deploy", "rollout", "analysis")
        assert complaint.remedy
        found.append((".".join(map(str, complaint.path[4:])), complaint.message))
    return found


@pytest.mark.parametrize("strategy", list(_STRATEGIES))
def test_a_sound_analysis(strategy: str) -> None:
    assert _complaints(strategy) == []


def test_a_stage_without_rollout_has_nothing_to_keep() -> None:
    stage = {"steps": [{"run": "ok"}]}
    assert list(analyses(Pipeline.model_validate({"name": "ship", "service": "shop", "stages": {"a": stage}}))) == []


def test_two_metrics_of_one_name() -> None:
    assert _complaints(metrics=[_METRIC, _METRIC]) == [("metrics.1.name", "there are two metrics 'errors'")]


@pytest.mark.parametrize(
    ("metric", "where", "message"),
    [
        ({"successMax": 1}, "metrics.0", "the metric 'm' has neither 'builtin' nor 'query'"),
        ({"builtin": "error-rate"}, "metrics.0", "the metric 'm' has no threshold, so it could never fail"),
        ({"query": "up", "successMax": 1}, "metrics.0.query", "a query needs Prometheus"),
        (
            {"query": "up", "builtin": "error-rate", "provider": "prometheus", "successMax": 1},
            "metrics.0.query",
            "the metric 'm' has both 'builtin' and 'query'",
        ),
        (
            {"query": "up{a='${nobody}'}", "provider": "prometheus", "successMax": 1},
            "metrics.0.query",
            "'${nobody}' cannot be filled in in a query",
        ),
        (
            {"builtin": "error-rate", "successMin": 2, "successMax": 1},
            "metrics.0.successMin",
            "successMin 2 is more than successMax 1, so the metric could never pass",
        ),
    ],
)
def test_a_metric_that_cannot_be_measured_or_decided(metric: dict[str, Any], where: str, message: str) -> None:
    assert _complaints(metrics=[{"name": "m", **metric}]) == [(where, message)]


def test_what_a_query_may_name() -> None:
    query = "rate(a{s='${service}',e='$environment',r='${release}',t='${track}'}[${window}]) > $$1"
    assert _complaints(metrics=[{"name": "m", "query": query, "provider": "prometheus", "successMin": 0}]) == []


def test_a_judged_metric_needs_no_threshold() -> None:
    assert _complaints(metrics=[{"name": "m", "builtin": "error-rate"}], judge={}) == []


@pytest.mark.parametrize("strategy", ["blue-green", "rolling"])
def test_the_judge_needs_a_stable_release_with_traffic(strategy: str) -> None:
    message = f"with the strategy {strategy} the stable release has no traffic that the judge could compare with"
    assert _complaints(strategy, judge={}) == [("judge", message)]


def test_the_judge_cannot_compare_request_rates() -> None:
    metric = {"name": "rate", "builtin": "request-rate", "successMin": 1}
    assert [where for where, _ in _complaints(metrics=[_METRIC, metric], judge={})] == ["metrics.1.builtin"]
    assert _complaints(metrics=[_METRIC, {**metric, "dryRun": True}], judge={}) == []
    assert _complaints(metrics=[_METRIC, metric]) == []


@pytest.mark.parametrize(
    ("judge", "where", "message"),
    [
        ({"passScore": 50, "marginalScore": 60}, "judge.marginalScore", "marginalScore 60 is more than passScore 50"),
        ({"groupWeights": {"default": 90}}, "judge.groupWeights", "the groups' weights sum to 90, not 100"),
        ({"groupWeights": {"defalt": 100}}, "judge.groupWeights.defalt", "no metric is in the group 'defalt'"),
    ],
)
def test_scores_and_weights(judge: dict[str, Any], where: str, message: str) -> None:
    assert _complaints(judge=judge) == [(where, message)]


def test_weights_are_not_negative() -> None:
    metrics = [_METRIC, {**_METRIC, "name": "other", "group": "b"}]
    found = _complaints(metrics=metrics, judge={"groupWeights": {"default": 150, "b": -50}})
    assert found == [("judge.groupWeights.b", "the weight of 'b' is negative")]
    assert _complaints(metrics=metrics, judge={"groupWeights": {"default": 30, "b": 70}}) == []
