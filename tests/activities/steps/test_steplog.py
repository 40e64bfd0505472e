from pathlib import Path

import pytest

from activities.steps.masking import Masker
from activities.steps.steplog import StepLog, timestamp
from pipelines.logfile import read_new


def _log(path: Path, **options: int) -> StepLog:
    return StepLog(path, Masker(["the-secret"]), clock=lambda: 1.5, **options)


def _texts(path: Path) -> list[str]:
    return [("+" if line.continues else "") + line.text for line in read_new(path)[0]]


def test_timestamps_are_utc_with_milliseconds() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
    assert timestamp(1795457462.0459) == "2026-11-23T18:11:02.045Z"


def test_lines(tmp_path: Path) -> None:
    log = _log(tmp_path / "log")
    for piece in (b"one\ntw", b"o\n\nth", b"ree"):
        log.feed(piece)
    assert _texts(tmp_path / "log") == ["one", "two", ""]
    log.close()
    assert _texts(tmp_path / "log") == ["one", "two", "", "three"]
    assert (tmp_path / "log").read_bytes().startswith(b"1970-01-01T00:00:01.500Z one\n")


def test_a_part_is_shown_and_goes_on(tmp_path: Path) -> None:
    log = _log(tmp_path / "log")
    log.feed(b"working ")
    log.flush()
    log.feed(b"... ")
    log.flush()
    log.feed(b"done\nnext\n")
    log.feed(b"ask: ")
    log.flush()
    log.feed(b"\nlast\n")
    log.close()
    assert _texts(tmp_path / "log") == ["working ", "+... ", "+done", "next", "ask: ", "last"]


def test_progress_bars_show_their_last_state(tmp_path: Path) -> None:
    log = _log(tmp_path / "log")
    log.feed(b"10%\r20%\r100%\r\nwindows\r\n")
    log.close()
    assert _texts(tmp_path / "log") == ["100%", "windows"]


def test_a_line_that_was_torn_by_a_crash_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"1970-01-01T00:00:01.500Z torn")
    log = _log(path)
    log.feed(b"new\n")
    log.close()
    assert _texts(path) == ["torn", "new"]


def test_the_cap_counts_from_where_the_step_began(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 999 + b"\n")
    log = _log(path, start=1000, budget=100)
    log.feed(b"a\n" * 50)
    log.feed(b"b\n" * 50)
    assert path.read_bytes().count(b" a\n") == 3
    assert b" b\n" not in path.read_bytes()
    log.line("still said: the-secret")
    log.close()
    assert _texts(path)[-1] == "still said: ***"
    assert path.read_bytes().count(b"dropped") == 1


@pytest.mark.parametrize(
    ("output", "last"),
    [
        (b"error: it broke\n\n   \n", "error: it broke"),
        (b"\x1b[1;31mred\x1b[0m alert\n-----\n", "red alert"),
        (b"tell the-secret\n", "tell ***"),
        (b"no end of line", "no end of line"),
        (b"", ""),
        (b"====\n", ""),
        (b"\x1b]0;title\x07after\n", "after"),
    ],
)
def test_last_words(tmp_path: Path, output: bytes, last: str) -> None:
    log = _log(tmp_path / "log")
    log.feed(output)
    log.flush(final=True)
    assert log.last() == last
    log.close()


def test_last_words_of_dropped_output_are_masked_too(tmp_path: Path) -> None:
    log = _log(tmp_path / "log", budget=100)
    for _ in range(500):
        log.feed(b"some long line of output\n")
    log.feed(b"at last the-")
    log.feed(b"secret\n")
    assert log.last() == "at last ***"
    log.close()


def test_size(tmp_path: Path) -> None:
    log = _log(tmp_path / "log")
    log.feed(b"12345\n")
    assert log.size == len("1970-01-01T00:00:01.500Z 12345\n") == (tmp_path / "log").stat().st_size
    log.close()
