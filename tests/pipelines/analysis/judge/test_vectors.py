"""The judge against results that others have published: Kayenta's own, R's, and a real installation's."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.analysis.judge import (
    Classification,
    EffectSize,
    MetricPair,
    MetricRule,
    classified,
    classify_by_mean,
    classify_metric,
    score_groups,
)
from pipelines.analysis.judge.rank_sum import shift_interval, wilcoxon_diff
from pipelines.analysis.judge.samples import common_language_effect, prepared

_DATA = Path(__file__).parents[3] / "data"
_VECTORS: dict[str, Any] = json.loads((_DATA / "judge_vectors.json").read_text())
_RUNS: list[dict[str, Any]] = json.loads((_DATA / "kayenta_runs.json").read_text())["cases"]
_CLASSIFIERS = {"MannWhitneyClassifier": classify_metric, "MeanInequalityClassifier": classify_by_mean}


def _effect(params: dict[str, Any]) -> EffectSize:
    """Kayenta's pairs are (decrease, increase), and its classifier's own default is 1 for every measure."""
    allowed, critical = params.get("effectSizeThresholds", (1.0, 1.0)), params.get("criticalThresholds", (1.0, 1.0))
    return EffectSize(
        measure=params.get("effectSizeMeasure", "meanRatio"),
        allowed_decrease=allowed[0],
        allowed_increase=allowed[1],
        critical_decrease=critical[0],
        critical_increase=critical[1],
    )


def _rule(vector: dict[str, Any]) -> MetricRule:
    params = vector["params"]
    return MetricRule(
        direction=vector["direction"].lower(),
        nan_strategy=vector["nanStrategy"].lower(),
        critical=vector["isCriticalMetric"],
        must_have_data=vector.get("isDataRequired", False),
        effect=_effect(params),
        tolerance=params.get("tolerance", 0.25),
        confidence=params.get("confLevel", 0.95),
    )


@pytest.mark.parametrize("vector", _VECTORS["classifier"], ids=lambda vector: vector["name"])
def test_a_metric_is_classified_as_kayenta_does(vector: dict[str, Any]) -> None:
    found = _CLASSIFIERS[vector["classifier"]](vector["experiment"], vector["control"], _rule(vector))
    expected = vector["expect"]
    assert expected["classification"] in (None, found.label)
    assert expected["critical"] in (None, found.critical)
    if expected["deviation"] is not None:
        assert found.deviation == pytest.approx(float(expected["deviation"]), nan_ok=True)
    assert found.reason or not expected["reason_not_empty"]


@pytest.mark.parametrize("vector", [v for v in _VECTORS["mannwhitney"] if v["kind"] == "ci"], ids=lambda v: v["line"])
def test_the_interval_is_that_of_r(vector: dict[str, Any]) -> None:
    found = shift_interval(np.array(vector["x_experiment"]), np.array(vector["y_control"]), vector["conf"])
    expected = vector["expect"]
    assert found.low == pytest.approx(expected["lo"], abs=vector["tol"])
    assert found.high == pytest.approx(expected["hi"], abs=vector["tol"])
    assert found.estimate == pytest.approx(expected["est"], abs=vector.get("tol_est", vector["tol"]))


@pytest.mark.parametrize("vector", [v for v in _VECTORS["mannwhitney"] if v["kind"] == "wilcoxon_diff"], ids=lambda v: v["line"])
def test_the_standardised_rank_sum_is_that_of_r(vector: dict[str, Any]) -> None:
    x, y = np.array(vector["x"]), np.array(vector["y"])
    for mu, quantile, expected in vector["expect"]:
        assert wilcoxon_diff(mu, quantile, x, y) == pytest.approx(expected, abs=vector["tol"])


@pytest.mark.parametrize("vector", _VECTORS["scorer"], ids=lambda vector: str(vector["metrics"]))
def test_the_score_is_kayentas(vector: dict[str, Any]) -> None:
    results = [Classification(label, critical=bool(critical), groups=(group,)) for label, group, critical in vector["metrics"]]
    found = score_groups(results, vector["weights"])
    assert found.score == vector["score"]
    if "group_scores" in vector:
        assert [group.score for group in found.groups] == vector["group_scores"]


def test_what_a_real_installation_said() -> None:
    """A p-value alone would call it higher; the interval begins next to 0, so it passes."""
    vector = _VECTORS["field"][0] if isinstance(_VECTORS["field"], list) else _VECTORS["field"]
    x, y, expected = np.array(vector["experiment"]), np.array(vector["control"]), vector["expect"]
    found = shift_interval(x, y, vector["confLevel"])
    assert found == pytest.approx((expected["lo"], expected["hi"], expected["est"]), rel=1e-9)
    margin = vector["tolerance"] * abs(found.estimate)
    assert (-margin, margin) == pytest.approx(tuple(expected["bounds"]))
    rule = _rule({**vector, "params": vector, "direction": "Either", "nanStrategy": "Remove", "isCriticalMetric": True})
    judged = classify_metric(x, y, rule)
    assert (judged.label, judged.critical) == (expected["classification"], False)
    assert judged.deviation is not None
    assert math.isclose(judged.deviation, expected["deviation"])


@pytest.mark.parametrize("run", _RUNS, ids=range(len(_RUNS)))
def test_random_samples_are_classified_as_by_the_original(run: dict[str, Any]) -> None:
    rule = MetricRule(
        direction=run["direction"],
        critical=run["critical"],
        outliers=run["outliers"],
        tolerance=run["tolerance"],
        confidence=run["confidence"],
        effect=EffectSize(run["measure"], run["allowed"][1], run["allowed"][0], run["criticals"][1], run["criticals"][0]),
    )
    found, expected = classified(MetricPair("m", run["experiment"], run["control"]), rule), run["expect"]
    assert (found.label, found.critical) == (expected["classification"], expected["critical"])
    if found.deviation is not None:
        assert found.deviation == pytest.approx(math.nan if expected["deviation"] is None else expected["deviation"], nan_ok=True)
    x, y = prepared(run["experiment"], rule), prepared(run["control"], rule)
    if expected["interval"] is not None:
        assert shift_interval(x, y, rule.confidence) == pytest.approx(expected["interval"], rel=1e-9, abs=1e-9)
        assert common_language_effect(x, y) == expected["cles"]
