"""Archives: what is taken, that equal content gives equal bytes, and that nothing leads out."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.clients import archive
from pipelines.errors import IntegrityError, StepFailed, Unavailable


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    info.size = 3 if kind == tarfile.REGTYPE else 0
    return info


FILES = ("app/main.py", "app/data/a.txt", "app/data/b.bin", "tests/test_x.py", ".git/config", "README.md", "dist/x-1.whl")
OUTWARD = [
    member("../evil"),
    member("/tmp/evil"),
    member("a/../../evil"),
    member("hard", tarfile.LNKTYPE, "/etc/passwd"),
    member("hard", tarfile.LNKTYPE, "../outside"),
    member("device", tarfile.CHRTYPE),
    member("pipe", tarfile.FIFOTYPE),
]
OUTWARD_LINKS = [member("link", tarfile.SYMTYPE, "/etc"), member("link", tarfile.SYMTYPE, "../..")]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    for name in (
        "app/main.py",
        "app/data/a.txt",
        "app/data/b.bin",
        "tests/test_x.py",
        ".git/config",
        "README.md",
        "dist/x-1.whl",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "app/run.sh").write_text("#!/bin/sh\n")
    (root / "app/run.sh").chmod(0o700)
    (root / "app/empty").mkdir()
    return root


def packed(root: Path, names: list[str] | None = None, **options: bool) -> bytes:
    buffer = io.BytesIO()
    archive.pack(buffer, root, archive.select(root, ["."]) if names is None else names, **options)
    return buffer.getvalue()


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def tar_of(*members: tarfile.TarInfo) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize(
    ("patterns", "exclude", "expected"),
    [
        (["README.md"], [], ["README.md"]),
        (["app/data"], [], ["app/data", "app/data/a.txt", "app/data/b.bin"]),
        (["app/data/"], [], ["app/data", "app/data/a.txt", "app/data/b.bin"]),
        (["./app/data/*.txt"], [], ["app/data/a.txt"]),
        (["**/*.py"], [], ["app/main.py", "tests/test_x.py"]),
        (["*.md", "dist/*"], [], ["README.md", "dist/x-1.whl"]),
        (["app/data/?.txt", "app/data/[!a].bin"], [], ["app/data/a.txt", "app/data/b.bin"]),
        (["app"], ["app/data", "**/*.sh"], ["app", "app/empty", "app/main.py"]),
        (["."], ["app", "dist", "tests"], ["README.md"]),
        (["a**/*.txt"], [], ["app/data/a.txt"]),
    ],
)
def test_globs_take_what_they_say(tree: Path, patterns: list[str], exclude: list[str], expected: list[str]) -> None:
    assert archive.select(tree, patterns, exclude) == expected


def test_the_history_is_never_taken(tree: Path) -> None:
    assert not [name for name in archive.select(tree, [".", "**"]) if name.startswith(".git")]


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../other", "app/../../x", ""])
def test_globs_that_lead_out_are_refused(tree: Path, pattern: str) -> None:
    with pytest.raises(StepFailed, match="leads out"):
        archive.select(tree, [pattern])


@pytest.mark.parametrize("pattern", ["nothing", "app/*.txt", ".git", "[", "*.PY"])
def test_a_glob_that_matches_nothing_is_an_error(tree: Path, pattern: str) -> None:
    with pytest.raises(StepFailed, match="matches no file"):
        archive.select(tree, ["README.md", pattern])


def test_equal_content_gives_equal_bytes(tree: Path, tmp_path: Path) -> None:
    first = packed(tree)
    other = tmp_path / "elsewhere"
    for name in reversed(archive.select(tree, ["."])):
        source, target = tree / name, other / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o600)
            os.utime(target, (1_000_000_000, 1_000_000_000))
    (other / "app/empty").mkdir()
    assert packed(other) == first
    assert first[4:8] == b"\0\0\0\0", "gzip's own time stamp"


@pytest.mark.parametrize("change", ["content", "mode", "name"])
def test_other_content_gives_other_bytes(tree: Path, change: str) -> None:
    first = packed(tree)
    if change == "content":
        (tree / "README.md").write_text("readme.md")
    elif change == "mode":
        (tree / "README.md").chmod(0o755)
    else:
        (tree / "README.md").rename(tree / "README.rst")
    assert packed(tree) != first


def test_what_was_packed_is_unpacked(tree: Path, tmp_path: Path) -> None:
    (tree / "app/link").symlink_to("data/a.txt")
    archive.unpack(io.BytesIO(packed(tree)), tmp_path / "out")
    expected = {name: text for name, text in contents(tree).items() if not name.startswith(".git")}
    assert contents(tmp_path / "out") == expected
    assert (tmp_path / "out/app/run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/app/empty").is_dir()
    assert (tmp_path / "out/README.md").stat().st_mtime == archive.EPOCH


def test_times_are_kept_when_asked_for(tree: Path, tmp_path: Path) -> None:
    os.utime(tree / "README.md", (1_500_000_000.75, 1_500_000_000.75))
    archive.unpack(io.BytesIO(packed(tree, keep_times=True)), tmp_path / "out")
    assert (tmp_path / "out/README.md").stat().st_mtime == 1_500_000_000


@given(
    st.dictionaries(st.text("abcü é", min_size=1, max_size=60).map(str.strip).filter(bool), st.binary(max_size=50), max_size=6)
)
def test_any_names_and_bytes_survive(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    root, out = tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("out")
    for name, data in files.items():
        (root / name).write_bytes(data)
    archive.unpack(io.BytesIO(packed(root, sorted(files))), out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == files


def test_absolute_links_inside_become_relative(tree: Path, tmp_path: Path) -> None:
    (tree / "app/link").symlink_to(tree / "README.md")
    archive.unpack(io.BytesIO(packed(tree)), tmp_path / "out")
    assert str((tmp_path / "out/app/link").readlink()) == "../README.md"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "../.."])
def test_links_that_lead_out_are_refused(tree: Path, target: str) -> None:
    (tree / "app/link").symlink_to(target)
    with pytest.raises(StepFailed, match="app/link is a link to"):
        packed(tree)


def test_links_that_lead_out_are_kept_when_asked_for(tree: Path, tmp_path: Path) -> None:
    (tree / "app/python").symlink_to("/usr/bin/python3")
    content = packed(tree, outside_links=True)
    archive.unpack(io.BytesIO(content), tmp_path / "out", outside_links=True)
    assert str((tmp_path / "out/app/python").readlink()) == "/usr/bin/python3"
    with pytest.raises(IntegrityError, match="refused"):
        archive.unpack(io.BytesIO(content), tmp_path / "strict")


def test_sockets_and_pipes_are_left_out(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = packed(tree)
    os.mkfifo(tree / "pipe")
    monkeypatch.chdir(tree)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert packed(tree) == before


def test_a_file_that_is_gone_can_be_tried_again(tree: Path) -> None:
    with pytest.raises(Unavailable, match=r"missing\.txt cannot be packed"):
        packed(tree, ["missing.txt"])


@pytest.mark.parametrize(
    ("outward", "outside_links"),
    [(each, allowed) for each in OUTWARD for allowed in (False, True)] + [(each, False) for each in OUTWARD_LINKS],
    ids=lambda value: f"{value.name}-{value.linkname}" if isinstance(value, tarfile.TarInfo) else str(value),
)
def test_members_that_lead_out_are_refused(tmp_path: Path, outward: tarfile.TarInfo, outside_links: bool) -> None:
    (tmp_path / "outside").write_text("untouched")
    with pytest.raises(IntegrityError):
        archive.unpack(tar_of(outward), tmp_path / "out", outside_links=outside_links)
    assert (tmp_path / "outside").read_text() == "untouched"
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("outside_links", [False, True])
def test_nothing_is_written_through_a_link_that_is_there(tmp_path: Path, outside_links: bool) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("untouched")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/folder").symlink_to(tmp_path / "outside")
    (tmp_path / "out/file").symlink_to(tmp_path / "outside/file")
    source = tar_of(member("folder/file"), member("file"))
    archive.unpack(source, tmp_path / "out", outside_links=outside_links)
    assert (tmp_path / "outside/file").read_text() == "untouched"
    assert contents(tmp_path / "out") == {"file": "xxx", "folder/file": "xxx"}


def test_nothing_is_written_through_a_link_of_the_same_archive(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    source = tar_of(member("folder", tarfile.SYMTYPE, str(tmp_path / "outside")), member("folder/file"))
    archive.unpack(source, tmp_path / "out", outside_links=True)
    assert list((tmp_path / "outside").iterdir()) == []
    assert (tmp_path / "out/folder/file").read_text() == "xxx"


def test_unpacking_over_replaces_what_is_of_another_kind_and_keeps_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "was-folder/deep").mkdir(parents=True)
    (out / "was-file").parent.mkdir(exist_ok=True)
    (out / "was-file").write_text("old")
    (out / "stays").write_text("kept")
    for _ in range(2):
        archive.unpack(tar_of(member("was-folder"), member("was-file", tarfile.DIRTYPE), member("was-file/new")), out)
    assert contents(out) == {"stays": "kept", "was-file/new": "xxx", "was-folder": "xxx"}


@pytest.mark.parametrize("junk", [b"", b"not an archive", b"\x1f\x8b\x08\x00junk"])
def test_what_is_no_archive_is_refused(tmp_path: Path, junk: bytes) -> None:
    with pytest.raises(IntegrityError, match="cannot be read"):
        archive.unpack(io.BytesIO(junk), tmp_path / "out")


def test_a_cut_archive_is_refused(tree: Path, tmp_path: Path) -> None:
    (tree / "large").write_bytes(os.urandom(100_000))
    whole = packed(tree)
    with pytest.raises(IntegrityError, match="cannot be read"):
        archive.unpack(io.BytesIO(whole[: len(whole) // 2]), tmp_path / "out")


def test_dangerous_modes_are_not_kept(tmp_path: Path) -> None:
    archive.unpack(tar_of(member("suid", mode=0o6777)), tmp_path / "out")
    assert (tmp_path / "out/suid").stat().st_mode & 0o7777 == 0o755
