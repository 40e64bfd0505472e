"""Who may approve, and when it is enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.approvals import missing, objection
from pipelines.spec.gate import ApprovalSpec

_PEOPLE = ["ann", "bob", "cem", "dia"]


def test_anyone_may_where_nobody_is_named() -> None:
    assert objection(ApprovalSpec(), "ann", [], "bob") == ""
    assert objection(ApprovalSpec(), "ann", [], "ann") == ""


def test_only_those_who_are_named_may() -> None:
    spec = ApprovalSpec(approvers=["ann", "bob"])
    assert objection(spec, "", [], "ann") == ""
    assert objection(spec, "", [], "cem") == "'cem' may not approve this; ann, bob may"


def test_the_author_needs_somebody_else() -> None:
    spec = ApprovalSpec(not_author=True)
    assert objection(spec, "ann", [], "ann") == "'ann' is the author of this change, and its approval needs somebody else"
    assert objection(spec, "ann", [], "bob") == ""


def test_being_named_does_not_help_the_author() -> None:
    assert "author" in objection(ApprovalSpec(approvers=["ann"], not_author=True), "ann", [], "ann")


def test_nobody_approves_twice() -> None:
    spec = ApprovalSpec(count=3)
    assert objection(spec, "", ["ann"], "ann") == "'ann' has approved already; 2 more from other people needed"
    assert objection(spec, "", ["ann"], "bob") == ""


@pytest.mark.parametrize(("given_by", "left"), [([], 2), (["ann"], 1), (["ann", "bob"], 0), (["ann", "bob", "cem"], 0)])
def test_how_many_are_missing(given_by: list[str], left: int) -> None:
    assert missing(ApprovalSpec(count=2), given_by) == left


@given(st.lists(st.sampled_from(_PEOPLE), max_size=20), st.sets(st.sampled_from(_PEOPLE)), st.integers(1, 4), st.booleans())
def test_whoever_comes_only_different_people_who_may_are_counted(
    arriving: list[str], approvers: set[str], count: int, not_author: bool
) -> None:
    spec = ApprovalSpec(approvers=sorted(approvers), count=count, not_author=not_author)
    approved: list[str] = []
    for actor in arriving:
        if not objection(spec, "ann", approved, actor):
            approved.append(actor)
    assert len(set(approved)) == len(approved)
    assert not approvers or set(approved) <= approvers
    assert not not_author or "ann" not in approved
    entitled = (approvers or set(_PEOPLE)) - ({"ann"} if not_author else set())
    assert set(approved) == entitled & set(arriving)
    assert missing(spec, approved) == max(0, count - len(approved))
