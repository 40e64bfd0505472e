"""How counters grow, with processes that start anew in between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.counters import Counters, growth, in_bins


def _look(at: float, good: float, bad: float = 0, process: float = 1.0, seconds: float = 0.0) -> Counters:
    codes = {"200": good, "500": bad} if bad else {"200": good}
    return Counters(at=at, process=process, codes=codes, buckets={"0.1": good, "+Inf": good + bad}, seconds=seconds)


def test_growth_between_two_looks() -> None:
    found = growth([_look(10, 100, 5, seconds=3.0), _look(20, 130, 7, seconds=4.5)])
    assert found is not None
    assert (found.start, found.end, found.requests, found.errors, found.seconds) == (10, 20, 32, 2, 1.5)
    assert found.buckets == {"0.1": 30, "+Inf": 32}


def test_one_look_says_nothing() -> None:
    assert growth([]) is None
    assert growth([_look(1, 5)]) is None


def test_a_new_status_counts_from_nothing() -> None:
    found = growth([_look(1, 5), _look(2, 6, 3)])
    assert found is not None
    assert found.codes == {"200": 1, "500": 3}


def test_a_restarted_router_has_counted_from_nothing() -> None:
    found = growth([_look(1, 100), _look(2, 110), _look(3, 7, process=2.0), _look(4, 9, process=2.0)])
    assert found is not None
    assert found.requests == 10 + 7 + 2


def test_a_restart_is_seen_though_the_new_counter_is_already_higher() -> None:
    found = growth([_look(1, 100), _look(2, 150, process=2.0)])
    assert found is not None
    assert found.requests == 150


def test_a_counter_that_fell_without_a_restart_was_reset_too() -> None:
    """Traefik forgets the counters of a service that it has no configuration for any more."""
    found = growth([_look(1, 100), _look(2, 4)])
    assert found is not None
    assert found.requests == 4


def test_bins_have_their_width_and_nothing_is_lost() -> None:
    looks = [_look(at, 10 * at) for at in range(11)]
    bins = in_bins(looks, 3)
    assert [(each.start, each.end, each.requests) for each in bins] == [(0, 3, 30), (3, 6, 30), (6, 10, 40)]


def test_a_window_shorter_than_a_bin_is_one_bin() -> None:
    [only] = in_bins([_look(0, 0), _look(1, 5)], 60)
    assert only.requests == 5
    assert in_bins([_look(0, 0)], 1) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5), st.booleans()), min_size=1, max_size=30), st.floats(0.5, 10))
def test_bins_sum_up_to_the_growth(steps: list[tuple[int, int, bool]], width: float) -> None:
    good, bad, process, happened = 0, 0, 1.0, 0
    looks = [_look(0, 0)]
    for at, (more, errors, restart) in enumerate(steps, 1):
        good, bad, process = (0, 0, process + 1) if restart else (good, bad, process)
        good, bad, happened = good + more, bad + errors, happened + more + errors
        looks.append(_look(at, good, bad, process))
    whole = growth(looks)
    assert whole is not None
    assert whole.requests == happened
    assert sum(each.requests for each in in_bins(looks, width)) == pytest.approx(happened)
