"""Verdicts add up to a decision, and an analysis that saw nothing never promotes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.analysis.tally import Tally
from pipelines.messages.deploy import Verdict
from pipelines.spec.analysis import AnalysisSpec, JudgeSpec, MetricSpec

_OUTCOMES = ("pass", "fail", "inconclusive", "error")


def _metric(name: str = "a", **more: Any) -> MetricSpec:
    return MetricSpec(name=name, builtin="error-rate", **more)


def _spec(*metrics: MetricSpec, count: int = 1, judge: bool = False) -> AnalysisSpec:
    return AnalysisSpec(metrics=list(metrics or (_metric(),)), count=count, judge=JudgeSpec() if judge else None)


def _verdict(judged: str | None = None, **outcomes: str) -> Verdict:
    worst = next((outcome for outcome in ("fail", "error", "inconclusive") if outcome in outcomes.values()), "pass")
    return Verdict.model_validate({"outcome": worst, "outcomes": outcomes, "judged": judged, "reason": "as seen"})


def _added(spec: AnalysisSpec, *verdicts: Verdict) -> Tally:
    tally = Tally()
    for verdict in verdicts:
        tally = tally.add(verdict, spec)
    return tally


def test_as_many_as_were_asked_for_pass() -> None:
    spec = _spec(count=2)
    assert _added(spec, _verdict(a="pass")).decision == "continue"
    done = _added(spec, _verdict(a="pass"), _verdict(a="pass"))
    assert (done.decision, done.measured) == ("pass", 2)


@pytest.mark.parametrize(("limit", "times"), [(0, 1), (2, 3)])
def test_more_failures_than_the_limit_fail(limit: int, times: int) -> None:
    spec = _spec(_metric(failure_limit=limit), count=10)
    *before, last = [_added(spec, *[_verdict(a="fail")] * count) for count in range(1, times + 1)]
    assert {tally.decision for tally in before} <= {"continue"}
    assert last.decision == "fail"
    assert last.reason == f"metric 'a' failed {times} time{'s' * (times > 1)}, more than failureLimit {limit}: as seen"


def test_more_inconclusive_ones_than_the_limit_are_inconclusive() -> None:
    spec = _spec(_metric(inconclusive_limit=1))
    assert _added(spec, _verdict(a="inconclusive")).decision == "continue"
    assert _added(spec, *[_verdict(a="inconclusive")] * 2).decision == "inconclusive"


def test_errors_count_only_in_a_row() -> None:
    spec = _spec(_metric(consecutive_error_limit=1), count=3)
    error, passed = _verdict(a="error"), _verdict(a="pass")
    assert _added(spec, error, passed, error, passed, error).decision == "continue"
    assert _added(spec, error, passed, error, error).decision == "error"


def test_a_metric_that_only_failed_within_its_limit_does_not_pass() -> None:
    spec = _spec(_metric(failure_limit=3))
    assert _added(spec, _verdict(a="fail")).decision == "continue"
    assert _added(spec, _verdict(a="fail"), _verdict(a="pass")).decision == "pass"


def test_a_metric_that_the_verdict_is_silent_about_is_an_error() -> None:
    spec = _spec(_metric("a"), _metric("b", consecutive_error_limit=0))
    assert _added(spec, _verdict(a="pass")).decision == "error"


def test_a_verdict_without_metrics_speaks_for_all() -> None:
    spec = _spec(_metric("a", consecutive_error_limit=1), _metric("b"), judge=True)
    none = Verdict(outcome="error", reason="no answer")
    assert _added(spec, none).decision == "continue"
    assert _added(spec, none, none).decision == "error"


def test_a_dry_run_metric_is_counted_and_decides_nothing() -> None:
    spec = _spec(_metric("a"), _metric("b", dry_run=True))
    found = _added(spec, _verdict(a="pass", b="fail"))
    assert (found.decision, found.counts["b"].failed) == ("pass", 1)
    only = _spec(_metric("b", dry_run=True))
    assert _added(only, Verdict(outcome="inconclusive", outcomes={"b": "pass"})).decision == "continue"


def test_the_judges_fail_decides_at_once() -> None:
    assert _added(_spec(count=5, judge=True), _verdict("fail", a="measured")).decision == "fail"


def test_the_judge_is_needed_for_a_pass() -> None:
    spec = _spec(_metric(inconclusive_limit=1, consecutive_error_limit=1), judge=True)
    assert _added(spec, _verdict("pass", a="measured")).decision == "pass"
    silent = _added(spec, _verdict(None, a="measured"))
    assert (silent.decision, silent.reason) == ("continue", "the statistical judge has not passed yet")
    for word in ("error", "inconclusive"):
        once = _added(spec, _verdict(word, a="measured"))
        twice = _added(spec, *[_verdict(word, a="measured")] * 2)
        assert (once.decision, twice.decision) == ("continue", word)


def test_the_judge_has_the_strictest_limits_of_the_metrics() -> None:
    spec = _spec(_metric("a", inconclusive_limit=9), _metric("b", inconclusive_limit=0), judge=True)
    assert _added(spec, _verdict("inconclusive", a="measured", b="measured")).decision == "inconclusive"


def test_what_is_decided_stays() -> None:
    spec = _spec()
    failed = _added(spec, _verdict(a="fail"))
    assert failed.add(_verdict(a="pass"), spec) is failed


_VERDICTS = st.lists(
    st.builds(
        _verdict,
        st.sampled_from([None, *_OUTCOMES]),
        a=st.sampled_from([*_OUTCOMES, "measured"]),
        b=st.sampled_from([*_OUTCOMES, "measured"]),
    ),
    max_size=12,
)
_SPECS = st.builds(
    lambda limit, count: _spec(
        _metric("a", inconclusive_limit=limit), _metric("b", failure_limit=limit), count=count, judge=True
    ),
    st.integers(0, 3),
    st.integers(1, 3),
)


@given(_VERDICTS, _SPECS)
def test_nothing_is_promoted_without_the_judges_pass(verdicts: list[Verdict], spec: AnalysisSpec) -> None:
    tally = Tally()
    passed = 0
    for verdict in verdicts:
        if tally.decision == "continue":
            passed += verdict.judged == "pass"
        tally = tally.add(verdict, spec)
    if tally.decision == "pass":
        assert passed > 0
        assert tally.measured >= spec.count
        assert all(tally.counts[name].passed for name in ("a", "b"))


@given(_VERDICTS, _SPECS, st.sampled_from(["error", "inconclusive", "fail", None]))
def test_a_judge_that_never_passes_never_promotes(verdicts: list[Verdict], spec: AnalysisSpec, word: str | None) -> None:
    never = [verdict.model_copy(update={"judged": word}) for verdict in verdicts]
    assert _added(spec, *never).decision != "pass"
