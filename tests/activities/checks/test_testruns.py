"""Merging of test runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.checks.base import Finished
from activities.checks.testruns import explain, failed, merge, outcome, placed
from activities.reports.sources import Sources
from pipelines.errors import StepFailed
from pipelines.messages.common import Status
from pipelines.messages.quality import TestCase
from tests.support.evidence import case, cases


def test_a_failed_test_that_passes_later_is_passed_with_its_history() -> None:
    (merged,) = merge([case(status="failed", message="boom")], [[case(status="failed")], [case(status="passed")]])
    assert (merged.status, merged.runs, merged.message) == ("passed", ["failed", "failed", "passed"], "boom")


def test_what_passed_at_first_stays_as_it_was() -> None:
    assert merge([case()], [[case(status="failed")]]) == [case()]


def test_a_test_that_a_rerun_does_not_contain_stays_failed() -> None:
    assert merge([case(status="failed")], [[case("another")]]) == [case(status="failed")]


def test_a_test_that_is_skipped_when_run_again_stays_failed() -> None:
    (merged,) = merge([case(status="error")], [[case(status="skipped")]])
    assert (merged.status, merged.runs) == ("error", ["error", "skipped"])


def test_of_two_cases_with_one_name_the_worse_counts() -> None:
    again = [case(status="failed"), case(status="passed")]
    assert merge([case(status="failed")], [again])[0].status == "failed"


def test_the_runners_own_history_comes_first() -> None:
    first = case(status="failed", runs=["error", "failed"])
    assert merge([first], [[case()]])[0].runs == ["error", "failed", "passed"]


@given(st.lists(cases, max_size=5), st.lists(st.lists(cases, max_size=4), max_size=3))
def test_a_merge_keeps_every_case_and_invents_no_failure(first: list[TestCase], again: list[list[TestCase]]) -> None:
    merged = merge(first, again)
    assert [(each.suite, each.name) for each in merged] == [(each.suite, each.name) for each in first]
    assert len(failed(merged)) <= len(failed(first))
    assert merge(first, []) == first


def test_places_become_relative_to_the_workspace(tmp_path: Path) -> None:
    sources = Sources(tmp_path, tmp_path / "service")
    given = [case(place="a.py:3"), case(place=f"{tmp_path}/lib/b.py:4"), case(place="C.java"), case()]
    assert [each.place for each in placed(given, sources)] == ["service/a.py:3", "lib/b.py:4", "service/C.java", ""]


def test_an_outcome_without_tests_is_an_error_unless_allowed() -> None:
    with pytest.raises(StepFailed, match="runner ran no test"):
        outcome("runner", [], allow_empty=False)
    assert outcome("runner", [], allow_empty=True).status is Status.passed


def test_skipped_tests_are_no_failure() -> None:
    report = outcome("runner", [case(status="skipped")], allow_empty=False, coverage=50.0)
    assert (report.status, report.coverage) == (Status.passed, 50.0)


@pytest.mark.parametrize("code", [1, 137, -9])
def test_a_bad_end_needs_a_failed_test(code: int) -> None:
    with pytest.raises(StepFailed, match=str(code)):
        explain("runner", Finished(code), [case()])
    explain("runner", Finished(code), [case(status="failed")])


def test_a_good_end_needs_no_explanation() -> None:
    explain("runner", Finished(0), [])
