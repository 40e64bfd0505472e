from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipelines.logfile import LogLine, follow, parse, read_new

STAMP = "2026-11-23T17:56:01.123Z"


def test_a_line() -> None:
    assert parse(f"{STAMP} hello there\n", 7) == LogLine(STAMP, "hello there", False, 7)


def test_a_line_that_goes_on() -> None:
    assert parse(f"{STAMP}+ and on") == LogLine(STAMP, " and on", True)


def test_nanoseconds_and_empty_text() -> None:
    assert parse("2026-11-23T17:56:01.123456789Z ") == LogLine("2026-11-23T17:56:01.123456789Z", "")


def test_a_line_of_another_origin_is_shown_as_it_is() -> None:
    assert parse("hello\n") == LogLine("", "hello")
    assert parse(f"{STAMP}hello") == LogLine("", f"{STAMP}hello")


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    assert read_new(tmp_path / "none", 5) == ([], 5)


def test_only_whole_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(f"{STAMP} one\n{STAMP} tw".encode())
    lines, offset = read_new(path)
    assert [line.text for line in lines] == ["one"]
    assert offset == lines[-1].offset == len(f"{STAMP} one\n")
    with path.open("ab") as file:
        file.write(b"o\n")
    lines, offset = read_new(path, offset)
    assert ([line.text for line in lines], offset) == (["two"], path.stat().st_size)
    assert read_new(path, offset) == ([], offset)


def test_a_file_started_anew_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(f"{STAMP} new\n".encode())
    assert [line.text for line in read_new(path, 10_000)[0]] == ["new"]


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(STAMP.encode() + b" \xff\xfe\x00\rx\x0b\x85y\n")
    [line] = read_new(path)[0]
    assert line.text.endswith("y") and "\n" not in line.text
    assert line.offset == path.stat().st_size


@given(st.lists(st.text(alphabet="ab\r\x0b \x85é", max_size=30), max_size=30), st.integers(1, 200))
def test_reading_in_pieces_loses_nothing(tmp_path_factory: object, texts: list[str], most: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_bytes(b"".join(f"{STAMP} {text}\n".encode() for text in texts))
        found: list[str] = []
        offset = 0
        while offset < path.stat().st_size:
            lines, after = read_new(path, offset, most)
            assert after > offset
            offset = after
            found += [line.text for line in lines]
        assert found == texts


def test_following(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writes = [f"{STAMP} one\n", f"{STAMP} two\n{STAMP} thr", f"ee\n{STAMP} never ended"]

    def more() -> bool:
        with path.open("a") as file:
            file.write(writes.pop(0))
        return bool(writes)

    assert [line.text for line in follow(path, more=more)] == ["one", "two", "three"]


def test_following_from_a_place(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(f"{STAMP} one\n{STAMP} two\n")
    first = next(follow(path, more=lambda: False))
    assert [line.text for line in follow(path, first.offset, more=lambda: False)] == ["two"]
