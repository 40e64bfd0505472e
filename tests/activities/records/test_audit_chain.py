"""What is wrong with a chain is named, whatever was done to it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.records.audit import seal
from activities.records.audit_chain import GENESIS, AuditReport, Link, Witness, examine
from tests.support.records import audit


def chain(count: int, prefix: str = "k") -> list[Link]:
    links: list[Link] = []
    for number in range(1, count + 1):
        previous = links[-1].hash if links else GENESIS
        links.append(Link(number, f"{prefix}{number}", previous, seal(previous, number, audit(f"{prefix}{number}")), True))
    return links


def head(links: list[Link]) -> Witness:
    return Witness(count=links[-1].seq, hash=links[-1].hash)


def renumbered(links: list[Link]) -> list[Link]:
    return [dataclasses.replace(link, seq=seq) for seq, link in enumerate(links, 1)]


def kinds(report: AuditReport) -> list[tuple[str, int]]:
    return [(problem.kind, problem.seq) for problem in report.problems]


@given(st.integers(0, 30))
def test_an_untouched_chain_is_whole(count: int) -> None:
    links = chain(count)
    end = head(links) if links else None
    report = examine(links, end, [end] if end else [])
    assert (report.ok, report.count) == (True, count)


@given(st.integers(2, 20), st.data())
def test_a_removed_record_is_named(count: int, data: st.DataObject) -> None:
    links = chain(count)
    gone = data.draw(st.integers(1, count - 1))
    report = examine([link for link in links if link.seq != gone], head(links), [])
    assert kinds(report) == [("removed", gone)]


def test_removed_records_in_a_row_are_one_problem() -> None:
    links = chain(9)
    report = examine([*links[:2], *links[5:]], head(links), [])
    assert kinds(report) == [("removed", 3)]
    assert "records 3 to 5 are missing" in report.problems[0].message


@given(st.integers(2, 20), st.data())
def test_a_cut_end_is_named(count: int, data: st.DataObject) -> None:
    links = chain(count)
    kept = data.draw(st.integers(0, count - 1))
    assert kinds(examine(links[:kept], head(links), [])) == [("truncated", kept + 1)]


@given(st.integers(2, 20), st.data())
def test_an_end_cut_with_its_head_contradicts_the_witness(count: int, data: st.DataObject) -> None:
    links = chain(count)
    kept = links[: data.draw(st.integers(1, count - 1))]
    assert examine(kept, head(kept), []).ok
    assert kinds(examine(kept, head(kept), [head(links)])) == [("truncated", len(kept) + 1)]


@given(st.integers(2, 20), st.data())
def test_an_inserted_record_is_named(count: int, data: st.DataObject) -> None:
    links = chain(count)
    place = data.draw(st.integers(1, count))
    previous = links[place - 1].hash
    forged = Link(0, "forged", previous, seal(previous, 1.0, audit("forged")), True)
    report = examine(renumbered([*links[:place], forged, *links[place:]]), Witness(count=count + 1, hash=links[-1].hash), [])
    assert ("inserted", place + 1) in kinds(report)
    assert [problem.key for problem in report.problems if problem.kind == "inserted"] == ["forged"]


def test_a_record_put_behind_the_end_is_inserted() -> None:
    links = chain(3)
    forged = Link(4, "forged", links[-1].hash, seal(links[-1].hash, 1.0, audit("forged")), True)
    assert kinds(examine([*links, forged], head(links), [])) == [("inserted", 4)]


@given(st.integers(3, 20), st.data())
def test_exchanged_records_are_named(count: int, data: st.DataObject) -> None:
    links = chain(count)
    one, other = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=2, max_size=2)))
    links[one], links[other] = links[other], links[one]
    moved = renumbered(links)
    end = Witness(count=count, hash=chain(count)[-1].hash)
    report = examine(moved, end, [])
    assert {("reordered", one + 1), ("reordered", other + 1)} <= set(kinds(report))
    assert {kind for kind, _ in kinds(report)} == {"reordered"}


@given(st.integers(1, 20), st.data())
def test_a_changed_record_is_named_and_no_other(count: int, data: st.DataObject) -> None:
    links = chain(count)
    place = data.draw(st.integers(0, count - 1))
    end = head(links)
    links[place] = dataclasses.replace(links[place], sound=False)
    assert kinds(examine(links, end, [])) == [("changed", place + 1)]


@given(st.integers(1, 20), st.data())
def test_a_record_rewritten_with_a_fitting_hash_is_named(count: int, data: st.DataObject) -> None:
    links = chain(count)
    place = data.draw(st.integers(0, count - 1))
    end, previous = head(links), links[place].previous
    links[place] = Link(place + 1, "forged", previous, seal(previous, 1.0, audit("forged")), True)
    assert kinds(examine(links, end, [])) == [("changed", place + 1)]


def test_a_record_removed_and_the_rest_renumbered_is_found() -> None:
    links = chain(6)
    report = examine(renumbered([*links[:2], *links[3:]]), Witness(count=5, hash=links[-1].hash), [])
    assert kinds(report) == [("changed", 2)]


@pytest.mark.parametrize("size", [1, 4])
def test_a_lost_head_is_a_problem(size: int) -> None:
    assert kinds(examine(chain(size), None, [])) == [("truncated", size)]


def test_another_chain_of_the_same_length_contradicts_the_witness() -> None:
    other = chain(4, "other")
    assert kinds(examine(other, head(other), [head(chain(3))])) == [("witness", 3)]


def test_a_witness_of_nothing_says_nothing() -> None:
    links = chain(2)
    assert examine(links, head(links), [Witness(count=0, hash=GENESIS)]).ok


@given(st.lists(st.tuples(st.integers(-3, 12), st.sampled_from("abcd"), st.sampled_from("abcd"), st.booleans()), max_size=8))
def test_no_nonsense_makes_it_fail_or_hang(rows: list[tuple[int, str, str, bool]]) -> None:
    links = sorted(
        {seq: Link(seq, f"k{seq}", one * 64, other * 64, ok) for seq, one, other, ok in rows}.values(), key=lambda x: x.seq
    )
    assert not examine(links, Witness(count=9, hash="a" * 64), []).ok
