"""Where things are, and file names for any text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.layout import Layout, slug

_LAYOUT = Layout(Path("/state"))
_SAFE = re.compile(r"[A-Za-z0-9._-]*")


@pytest.mark.parametrize("text", ["build", "v1.2.3", "a_b-c", "A" * 60])
def test_what_is_safe_stays(text: str) -> None:
    assert slug(text) == text


@pytest.mark.parametrize(
    ("text", "begin"), [("owner/name", "owner-name-"), ("..", "-"), ("../../etc", "etc-"), ("a b", "a-b-"), ("", "")]
)
def test_what_is_not_safe_is_replaced_and_told_apart(text: str, begin: str) -> None:
    found = slug(text)
    assert found.startswith(begin)
    assert (found == text) is (text == "")


@given(st.text(max_size=200), st.integers(1, 80))
def test_a_name_is_safe_and_short(text: str, most: int) -> None:
    found = slug(text, most)
    assert _SAFE.fullmatch(found)
    assert len(found) <= most + 11
    assert found not in (".", "..")
    assert slug(text, most) == found


@given(st.text(min_size=1), st.text(min_size=1))
def test_different_texts_have_different_names(one: str, other: str) -> None:
    assert (slug(one) == slug(other)) is (one == other)


def test_everything_is_under_the_one_directory() -> None:
    places = [getattr(_LAYOUT, name) for name, kind in vars(Layout).items() if isinstance(kind, property)]
    assert len(places) >= 10
    assert len(set(places)) == len(places)
    assert all(place.parent == _LAYOUT.root for place in places)


def test_a_log_cannot_leave_its_folder() -> None:
    log = _LAYOUT.step_log("local/../../x/build", "te/st", 3)
    assert (_LAYOUT.logs / log).resolve().is_relative_to(_LAYOUT.logs)
    assert log.endswith("/03.log")
    assert len(Path(log).parts) == 3


@given(st.text(min_size=1), st.text(min_size=1), st.integers(0, 99))
def test_every_step_has_a_log_of_its_own(run: str, stage: str, index: int) -> None:
    assert _LAYOUT.step_log(run, stage, index) != _LAYOUT.step_log(run, stage, index + 1)
    assert _LAYOUT.step_log(run, stage, index) != _LAYOUT.step_log(run + "x", stage, index)
    assert _LAYOUT.step_log(run, stage, index) != _LAYOUT.step_log(run, stage + "x", index)
