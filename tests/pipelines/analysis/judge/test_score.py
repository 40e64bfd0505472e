"""From classifications to one score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.analysis.judge import Classification, classify_score, rounded, score_groups

_LABELS = st.sampled_from(["Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"])
_RESULTS = st.lists(
    st.builds(
        lambda label, group, muted: Classification(label, groups=(group,), muted=muted),
        _LABELS,
        st.sampled_from(["a", "b", "c"]),
        st.booleans(),
    ),
    max_size=12,
)


def _of(*labels: str, group: str = "g", critical: bool = False) -> list[Classification]:
    return [Classification(label, groups=(group,), critical=critical) for label in labels]  # type: ignore[arg-type]


@given(_RESULTS)
def test_without_weights_a_score_is_a_percentage(results: list[Classification]) -> None:
    assert 0 <= score_groups(results).score <= 100


@given(_RESULTS, st.integers(0, 100), st.integers(0, 100))
def test_weights_that_sum_to_100_keep_it_one(results: list[Classification], one: int, other: int) -> None:
    low, high = sorted((one, other))
    found = score_groups(results, {"a": low, "b": high - low, "c": 100 - high})
    assert 0 <= found.score <= 100
    assert sum(group.weight for group in found.groups) <= 100


@given(_RESULTS)
def test_muted_metrics_do_not_count(results: list[Classification]) -> None:
    assert score_groups(results) == score_groups([result for result in results if not result.muted])


def test_missing_required_data_counts_as_failed() -> None:
    assert score_groups(_of("Pass", "NodataFailMetric")).score == 50
    assert score_groups(_of("NodataFailMetric")).score == 0


def test_missing_data_is_left_out_until_it_is_half_of_all() -> None:
    assert score_groups(_of("Pass", "High", "Nodata")).score == 50
    found = score_groups(_of("Pass", "Nodata"))
    assert (found.score, found.reason) == (0, "1 of 2 metrics have no data")


def test_as_kayenta_has_it_errors_are_left_out() -> None:
    assert score_groups(_of("Pass", "Error", "Error", "Error")).score == 100


def test_as_kayenta_has_it_a_group_without_data_is_full_marks() -> None:
    found = score_groups([*_of("High", "High"), *_of("Nodata", group="empty")])
    assert found.score == 50
    assert [(group.name, group.score, group.no_data) for group in found.groups] == [("g", 0.0, False), ("empty", 0.0, True)]


@pytest.mark.parametrize("label", ["High", "Low", "Nodata"])
def test_a_critical_failure_is_zero(label: str) -> None:
    found = score_groups([*_of("Pass", "Pass", "Pass"), Classification(label, "it is bad", critical=True, groups=("g",))])  # type: ignore[arg-type]
    assert (found.score, found.reason) == (0, "it is bad")
    assert score_groups(_of(label, critical=True)).reason


def test_a_critical_metric_that_passes_is_like_any_other() -> None:
    assert score_groups(_of("Pass", critical=True)).score == 100


def test_groups_without_a_weight_share_what_is_left() -> None:
    results = [*_of("Pass", group="a"), *_of("High", group="b"), *_of("Pass", group="c")]
    found = score_groups(results, {"a": 40})
    assert [group.weight for group in found.groups] == [40, 30, 30]
    assert found.score == 70


def test_weights_that_leave_less_than_nothing_as_kayenta_has_it() -> None:
    results = [*_of("High", group="a"), *_of("Pass", group="b")]
    assert score_groups(results, {"a": 150}).score == -50
    assert score_groups(_of("Pass", group="a"), {"a": 50, "b": 50}).score == 50


def test_a_metric_in_several_groups_counts_in_each() -> None:
    results = [Classification("High", groups=("a", "b")), Classification("Pass", groups=("b",))]
    assert [group.score for group in score_groups(results).groups] == [0, 50]
    assert score_groups(results).score == 25


def test_nothing_at_all_is_zero() -> None:
    assert score_groups([]).score == 0


@pytest.mark.parametrize(
    ("score", "expected"), [(100, "Pass"), (95, "Pass"), (94.99, "Marginal"), (75, "Marginal"), (74.99, "Fail"), (0, "Fail")]
)
def test_thresholds_include_their_own_value(score: float, expected: str) -> None:
    assert classify_score(score, 95, 75) == expected


@pytest.mark.parametrize(("score", "expected"), [(66.666666, 66.67), (0.125, 0.13), (-0.125, -0.13), (94.995, 95.0), (1e-9, 0.0)])
def test_halves_are_rounded_away_from_zero(score: float, expected: float) -> None:
    assert rounded(score) == expected
