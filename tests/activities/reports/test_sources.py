"""Paths and lines of a workspace, and fields of foreign JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.reports.files import read_json
from activities.reports.shape import items, items_at, number, text
from activities.reports.sources import Sources
from pipelines.errors import StepFailed


def test_without_a_workspace_paths_are_only_tidied() -> None:
    sources = Sources()
    assert sources.relative("./a//b.py") == "a/b.py"
    assert sources.relative("/x/y.py") == "/x/y.py"
    assert sources.relative("") == ""
    assert sources.line("a/b.py", 1) == ""


def test_a_workspace_behind_a_link_is_the_same_workspace(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Sources(tmp_path / "link").relative(f"{tmp_path}/real/a.py") == "a.py"
    assert Sources(tmp_path / "real").relative(f"{tmp_path}/link/a.py") == "a.py"


def test_lines_are_counted_from_one(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\n")
    sources = Sources(tmp_path)
    assert [sources.line("a.py", number) for number in (0, 1, 2, 3, -1, None)] == ["", "one", "two", "", "", ""]


def test_lines_outside_the_workspace_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden\n")
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "link").symlink_to(tmp_path / "secret")
    sources = Sources(tmp_path / "ws")
    assert [sources.line(path, 1) for path in ("../secret", "link", str(tmp_path / "secret"), "absent", ".")] == [""] * 5


def test_bytes_that_are_no_text_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\n")
    assert Sources(tmp_path).line("a.bin", 1) == "\ufffd\ufffd"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(uri=st.text(max_size=30) | st.text(max_size=20).map(lambda rest: f"file:{rest}"), line=st.integers())
def test_no_path_and_no_number_crashes(tmp_path: Path, uri: str, line: int) -> None:
    for sources in (Sources(), Sources(tmp_path)):
        assert sources.line(sources.relative(uri), line) == ""


@pytest.mark.parametrize("value", [None, {}, "x", [1], [[]], 3])
def test_a_list_of_objects_is_one_or_a_clear_error(value: object) -> None:
    with pytest.raises(StepFailed, match="toolname report has an unknown shape"):
        items(value, "toolname")


def test_items_at_a_key() -> None:
    assert items_at({"a": [{"b": 1}]}, "a", "t") == [{"b": 1}]
    assert items_at({"a": None}, "a", "t") == items_at({}, "a", "t") == []
    for value in ([], None, {"a": "x"}, {"a": {"b": 1}}):
        with pytest.raises(StepFailed):
            items_at(value, "a", "t")


def test_fields_of_another_kind_are_empty() -> None:
    value = {"a": {"b": "x", "n": 3, "t": True, "z": 0}}
    assert (text(value, "a", "b"), text(value, "a"), text(value, "a", "b", "c"), text(None, "a")) == ("x", "", "", "")
    assert (number(value, "a", "n"), number(value, "a", "t"), number(value, "a", "z"), number(value, "a", "b")) == (
        3,
        None,
        None,
        None,
    )
    assert len(text({"a": "x" * 5000}, "a")) == 2000


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_broken_json_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "out.json").write_bytes(content)
    with pytest.raises(StepFailed, match=r"out\.json is not JSON"):
        read_json(tmp_path / "out.json", "tool")
