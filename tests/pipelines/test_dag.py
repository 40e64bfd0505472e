"""Directed acyclic graphs of names."""

from itertools import pairwise

import pytest
from hypothesis import given

from pipelines import dag
from pipelines.errors import SpecError
from tests.support.definitions import graphs, with_cycle


@given(graphs())
def test_every_name_comes_once_and_after_what_it_needs(needs: dict[str, list[str]]) -> None:
    order = dag.topological(needs)
    assert sorted(order) == sorted(needs)
    assert all(order.index(need) < order.index(name) for name, wanted in needs.items() for need in wanted)


def test_what_could_come_next_comes_in_the_order_of_declaration() -> None:
    assert dag.topological({"z": [], "b": ["z"], "a": [], "c": ["z"]}) == ["z", "b", "a", "c"]


@given(graphs())
def test_transitive_needs_are_those_of_the_needs_and_their_own(needs: dict[str, list[str]]) -> None:
    found = dag.transitive(needs)
    order = dag.topological(needs)
    for name, wanted in needs.items():
        assert set(found[name]) == set(wanted).union(*(found[need] for need in wanted))
        assert found[name] == sorted(found[name], key=order.index)
        assert name not in found[name]


@given(graphs())
def test_a_graph_without_a_cycle_has_none(needs: dict[str, list[str]]) -> None:
    assert dag.cycles(needs) == []


@given(with_cycle())
def test_a_cycle_is_shown_as_a_way_that_really_leads_back(needs: dict[str, list[str]]) -> None:
    found = dag.cycles(needs)
    assert found
    for cycle in found:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(following in needs[name] for name, following in pairwise(cycle))


@given(with_cycle())
def test_no_order_is_made_up_for_a_cycle(needs: dict[str, list[str]]) -> None:
    with pytest.raises(SpecError, match="circle"):
        dag.topological(needs)
    with pytest.raises(SpecError, match="circle"):
        dag.transitive(needs)


def test_each_knot_is_told_once() -> None:
    needs = {"a": ["b"], "b": ["a"], "c": ["d"], "d": ["e", "c"], "e": ["d"], "f": ["a", "c"], "g": ["g"]}
    assert dag.cycles(needs) == [["a", "b", "a"], ["c", "d", "c"], ["g", "g"]]


def test_needs_outside_of_the_graph_are_left_aside() -> None:
    needs = {"a": ["gone"], "b": ["a", "gone"]}
    assert dag.topological(needs) == ["a", "b"]
    assert dag.transitive(needs) == {"a": [], "b": ["a"]}
    assert dag.cycles(needs) == []


@given(graphs())
def test_the_order_of_needs_does_not_matter(needs: dict[str, list[str]]) -> None:
    shuffled = {name: sorted(wanted, reverse=True) for name, wanted in needs.items()}
    assert dag.topological(shuffled) == dag.topological(needs)
