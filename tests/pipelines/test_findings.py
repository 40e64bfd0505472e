"""Fingerprints, counts, duplicates and summaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.findings import (
    MOST_FAILURES,
    SEVERITIES,
    at_least,
    combine,
    count,
    dedupe,
    failure_line,
    fingerprint,
    is_flaky,
    number_repeats,
    problem,
    summarise,
)
from pipelines.messages.common import FindingCounts, TestSummary
from pipelines.messages.quality import Finding, TestCase
from tests.support.evidence import case, cases, finding, findings


def test_a_fingerprint_stays_when_the_text_is_indented_or_wrapped_otherwise() -> None:
    assert fingerprint("t", "r", "p", "  x =  1\n") == fingerprint("t", "r", "p", "\tx = 1")


@pytest.mark.parametrize("other", [("u", "r", "p", "x"), ("t", "s", "p", "x"), ("t", "r", "q", "x"), ("t", "r", "p", "y")])
def test_a_fingerprint_tells_tool_rule_path_and_text_apart(other: tuple[str, str, str, str]) -> None:
    assert fingerprint("t", "r", "p", "x") != fingerprint(*other)


def test_a_fingerprint_does_not_mix_neighbouring_parts() -> None:
    assert fingerprint("t", "ab", "c", "") != fingerprint("t", "a", "bc", "")


@given(st.text(), st.text(), st.text(), st.text())
def test_any_text_has_a_fingerprint_of_32_hex_digits(tool: str, rule: str, path: str, text: str) -> None:
    made = fingerprint(tool, rule, path, text)
    assert len(made) == 32
    assert set(made) <= set("0123456789abcdef")


def test_severities_are_ordered() -> None:
    assert SEVERITIES == ("info", "low", "medium", "high", "critical")
    assert at_least("critical", "high")
    assert at_least("high", "high")
    assert not at_least("medium", "high")


def test_count_counts_by_severity() -> None:
    counted = count([finding(severity="high"), finding(severity="high"), finding(severity="info")])
    assert counted == FindingCounts(high=2, info=1)


def test_the_second_finding_with_one_fingerprint_gets_its_own() -> None:
    twice = [finding(line=3, fingerprint="f"), finding(line=9, fingerprint="f"), finding(line=12, fingerprint="f")]
    assert [each.fingerprint for each in number_repeats(twice)] == ["f", "f-2", "f-3"]


def test_an_exact_repeat_is_dropped() -> None:
    assert number_repeats([finding(), finding()]) == [finding()]


@given(st.lists(findings))
def test_numbered_fingerprints_are_unique(found: list[Finding]) -> None:
    made = [each.fingerprint for each in number_repeats(found)]
    assert len(made) == len(set(made))


def test_ruff_and_bandit_see_the_same_hardcoded_password_once() -> None:
    both = [finding("B105", "low", tool="bandit"), finding("S105", "low", tool="ruff")]
    assert len(dedupe(both)) == 1


def test_flake8_bugbears_b006_is_not_a_rule_of_bandit() -> None:
    assert problem(finding("B006", tool="flake8"))[0] == "B006"


def test_two_secret_scanners_see_one_secret_once() -> None:
    both = [
        finding("github-pat", "critical", tool="trivy", cwe="CWE-798"),
        finding("github-personal-token", "critical", tool="gitleaks", cwe="CWE-798"),
    ]
    assert len(dedupe(both)) == 1


def test_two_problems_that_one_tool_sees_on_a_line_are_both_kept() -> None:
    both = [finding("B602", tool="bandit", cwe="CWE-78"), finding("X1", tool="bandit", cwe="CWE-78", fingerprint="other")]
    assert len(dedupe(both)) == 2
    assert len(dedupe([*both, finding("py/shell", tool="codeql", cwe="CWE-78")])) == 2


def test_a_cwe_without_a_line_does_not_merge_different_rules() -> None:
    both = [finding("A", tool="a", line=None, cwe="CWE-1"), finding("B", tool="b", line=None, cwe="CWE-1")]
    assert len(dedupe(both)) == 2


def test_other_places_are_other_problems() -> None:
    assert len(dedupe([finding(line=1, tool="a"), finding(line=2, tool="b"), finding(line=1, path="b.py", tool="b")])) == 3


def test_opinions_of_another_severity_are_kept() -> None:
    both = [finding("B105", "low", tool="bandit"), finding("S105", "medium", tool="ruff")]
    assert len(dedupe(both)) == 2


def test_the_cells_of_a_matrix_report_a_finding_once() -> None:
    assert dedupe([finding(), finding(), finding()]) == [finding()]


@given(st.lists(findings), findings)
def test_one_more_finding_never_lowers_a_count(found: list[Finding], more: Finding) -> None:
    before, after = count(dedupe(found)), count(dedupe([*found, more]))
    assert all(getattr(after, severity) >= getattr(before, severity) for severity in SEVERITIES)


@given(st.lists(findings))
def test_no_severity_vanishes_and_nothing_is_invented(found: list[Finding]) -> None:
    kept = dedupe(found)
    assert {each.severity for each in kept} == {each.severity for each in found}
    assert all(each in found for each in kept)
    assert dedupe(kept) == kept


@given(st.lists(findings).flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_counts_do_not_depend_on_the_order(pair: tuple[list[Finding], list[Finding]]) -> None:
    assert count(dedupe(pair[0])) == count(dedupe(pair[1]))


def test_a_summary_adds_up() -> None:
    summary = summarise(
        [
            case("a", seconds=0.5),
            case("b", "failed", message="assert 1 == 2\nmore", place="test_b.py:7"),
            case("c", "error", message=""),
            case("d", "skipped"),
            case("e", runs=["failed", "passed"]),
        ]
    )
    assert (summary.total, summary.passed, summary.failed, summary.skipped, summary.flaky) == (5, 2, 2, 1, 1)
    assert summary.seconds == 0.5
    assert summary.failures == ["suite::b: assert 1 == 2 (test_b.py:7)", "suite::c: error"]


def test_a_summary_names_at_most_20_failures() -> None:
    summary = summarise([case(f"t{number}", "failed", message="m" * 1000) for number in range(50)])
    assert summary.failed == 50
    assert len(summary.failures) == MOST_FAILURES == 20
    assert max(map(len, summary.failures)) < 400


def test_failed_again_is_not_flaky() -> None:
    assert not is_flaky(case(status="failed", runs=["failed", "failed"]))
    assert is_flaky(case(status="passed", runs=["error", "passed"]))
    assert not is_flaky(case(status="passed"))


def test_a_failure_line_is_one_line() -> None:
    assert "\n" not in failure_line(case(status="failed", message="\n\nboom\nat x"))


@given(st.lists(cases))
def test_every_case_is_counted_once(all_cases: list[TestCase]) -> None:
    summary = summarise(all_cases)
    assert summary.passed + summary.failed + summary.skipped == summary.total == len(all_cases)
    assert summary.flaky <= summary.passed
    assert len(summary.failures) == min(summary.failed, MOST_FAILURES)


@given(st.lists(st.lists(cases, max_size=5), max_size=5))
def test_combining_summaries_equals_summarising_all(groups: list[list[TestCase]]) -> None:
    combined = combine([summarise(group) for group in groups]) or TestSummary()
    whole = summarise([each for group in groups for each in group])
    assert combined.model_copy(update={"seconds": 0.0}) == whole.model_copy(update={"seconds": 0.0})
    assert combined.seconds == pytest.approx(whole.seconds, abs=1e-4)


def test_combining_nothing_is_none() -> None:
    assert combine([]) is None
