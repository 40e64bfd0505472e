"""Layers: whatever is done to a tree is captured, and comes out equal on a fresh checkout."""

import io
import os
import shutil
import stat
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.clients import manifests
from activities.clients.layers import apply_layer, remove_tree, total_size, write_layer
from activities.clients.manifests import Difference, difference, scan
from pipelines.errors import IntegrityError, StepFailed, Unavailable

START = {"a": b"1", "b": b"2", "d/a": b"3", "d/e/f": b"4"}


def nothing() -> None:
    return None


def tree(root: Path, files: dict[str, bytes] | None = None) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, content in (START if files is None else files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def picture(root: Path) -> dict[str, object]:
    """Names, kinds, permissions, content."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        mode = status.st_mode & 0o777
        if stat.S_ISLNK(status.st_mode):
            found[str(path.relative_to(root))] = ("link", str(path.readlink()))
        elif stat.S_ISDIR(status.st_mode):
            found[str(path.relative_to(root))] = ("folder", mode)
        else:
            found[str(path.relative_to(root))] = ("file", mode, path.read_bytes())
    return found


def captured(root: Path, before: manifests.Manifest) -> tuple[Difference, io.BytesIO]:
    found = difference(root, before, scan(root, (), nothing))
    layer = io.BytesIO()
    write_layer(layer, root, found.changed, found.deleted, "test", nothing)
    layer.seek(0)
    return found, layer


def test_nothing_changed(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    before = scan(root, (), nothing)
    assert not difference(root, before, scan(root, (), nothing))


def test_names_of_what_changed(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    before = scan(root, (), nothing)
    (root / "a").write_bytes(b"other")
    (root / "new").mkdir()
    (root / "new/file").write_bytes(b"")
    shutil.rmtree(root / "d")
    found = difference(root, before, scan(root, (), nothing))
    assert found == Difference(["a", "new", "new/file"], ["d", "d/a", "d/e", "d/e/f"])


def test_the_same_size_in_the_same_instant_is_still_seen(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    before = scan(root, (), nothing)
    status = (root / "a").stat()
    (root / "a").write_bytes(b"X")
    os.utime(root / "a", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert difference(root, before, scan(root, (), nothing)).changed == ["a"]


def test_old_files_are_told_by_their_stamps_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path / "t")
    for path in root.rglob("*"):
        os.utime(path, (1e9, 1e9))
    monkeypatch.setattr("activities.clients.manifests.hashlib.file_digest", lambda *_: pytest.fail("a file was read"))
    assert not difference(root, scan(root, (), nothing), scan(root, (), nothing))


def test_what_is_skipped_and_what_is_no_file_is_not_there(tmp_path: Path) -> None:
    root = tree(tmp_path / "t", {".git/HEAD": b"x", "sub/.git/HEAD": b"x", "own/.git/HEAD": b"x"})
    os.mkfifo(root / "pipe")
    found = scan(root, {".git", "sub/.git"}, nothing)
    assert sorted(found) == ["own", "own/.git", "own/.git/HEAD", "sub"]


def test_a_manifest_is_kept_in_a_file(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    (root / os.fsdecode(b"not-utf8-\xff")).write_bytes(b"x")
    manifest = scan(root, (), nothing)
    manifests.save(manifest, tmp_path / "m")
    assert manifests.load(tmp_path / "m") == manifest


def test_looking_at_some_names_is_scanning_them(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    everything = scan(root, (), nothing)
    assert manifests.look(root, ["a", "d", "d/e/f", "gone", "a/below"]) == {
        name: everything[name] for name in ("a", "d", "d/e/f")
    }


names = st.sampled_from(["a", "b", "c", "d", "d/a", "d/e", "d/e/f", "d/g", "h/i/j", "ü", "with space"])
operations = st.one_of(
    st.tuples(st.just("write"), names, st.binary(max_size=3)),
    st.tuples(st.just("folder"), names, st.just(b"")),
    st.tuples(st.just("link"), names, st.sampled_from([b"a", b"d", b"../x", b"/nowhere", b"."])),
    st.tuples(st.just("remove"), names, st.just(b"")),
    st.tuples(st.just("mode"), names, st.sampled_from([b"600", b"644", b"755", b"700", b"555"])),
)


def clear_way(root: Path, name: str) -> None:
    """What stands where the name or one of its folders is to be."""
    for part in [*reversed(Path(name).parents), Path(name)]:
        path = root / part
        if part != Path(name) and path.is_dir() and not path.is_symlink():
            continue
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    (root / name).parent.mkdir(parents=True, exist_ok=True)


def perform(root: Path, operation: tuple[str, str, bytes]) -> None:
    kind, name, value = operation
    path = root / name
    if kind == "mode":
        if path.exists() and not any((root / part).is_symlink() for part in [Path(name), *Path(name).parents]):
            path.chmod(int(value, 8))
        return
    clear_way(root, name)
    if kind == "write":
        path.write_bytes(value)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(os.fsdecode(value))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(operations, max_size=6), min_size=1, max_size=4))
def test_layers_in_order_over_a_fresh_checkout_give_the_same_tree(stages: list[list[tuple[str, str, bytes]]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        root, fresh = tree(Path(place) / "one"), tree(Path(place) / "two")
        before = scan(root, (), nothing)
        layers = []
        for stage in stages:
            for operation in stage:
                perform(root, operation)
            found, layer = captured(root, before)
            before = scan(root, (), nothing)
            if found:
                layers.append(layer)
        for layer in layers:
            layer.seek(0)
            apply_layer(layer, fresh, fresh, nothing)
            layer.seek(0)
            apply_layer(layer, fresh, fresh, nothing)
        assert picture(fresh) == picture(root)
        remove_tree(root)
        remove_tree(fresh)


def test_it_says_which_names_it_concerns(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    before = scan(root, (), nothing)
    (root / "a").unlink()
    (root / "c").write_bytes(b"c")
    _, layer = captured(root, before)
    other = tree(tmp_path / "o")
    assert sorted(apply_layer(layer, other, other, nothing)) == ["a", "c"]


def test_files_that_name_their_folder_name_the_new_one(tmp_path: Path) -> None:
    root = tree(tmp_path / "one/tree")
    before = scan(root, (), nothing)
    script = root / ".venv/bin/tool"
    script.parent.mkdir(parents=True)
    script.write_text(f"#!{root}/.venv/bin/python\nprint()\n")
    script.chmod(0o755)
    os.utime(script, (1e9, 1e9))
    (root / "binary").write_bytes(b"\0" + os.fsencode(root))
    (root / "link").symlink_to(root / "a")
    _, layer = captured(root, before)
    other = tree(tmp_path / "elsewhere/tree")
    for _ in range(2):
        layer.seek(0)
        apply_layer(layer, other, other, nothing)
    copied = other / ".venv/bin/tool"
    assert copied.read_text() == f"#!{other}/.venv/bin/python\nprint()\n"
    assert copied.stat().st_mode & 0o777 == 0o755
    assert copied.stat().st_mtime == 1e9
    assert (other / "binary").read_bytes() == (root / "binary").read_bytes()
    assert (other / "link").readlink() == other / "a"


def test_equal_content_of_different_makers_is_not_one_layer(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    made = []
    for maker in ("first", "second", "second"):
        layer = io.BytesIO()
        write_layer(layer, root, ["a"], [], maker, nothing)
        made.append(layer.getvalue())
    assert made[0] != made[1]
    assert made[1] == made[2]


def test_what_vanishes_or_shrinks_while_it_is_packed_breaks_nothing(tmp_path: Path) -> None:
    root = tree(tmp_path / "t", {"a": b"x" * 100_000, "b": b"2", "c": b"3"})
    calls = 0

    def beat() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            (root / "b").unlink()
            os.truncate(root / "a", 50_000)

    layer = io.BytesIO()
    write_layer(layer, root, ["a", "b", "c"], [], "test", beat)
    layer.seek(0)
    other = tree(tmp_path / "o", {})
    apply_layer(layer, other, other, nothing)
    assert sorted(path.name for path in other.iterdir()) == ["a", "c"]
    assert (other / "a").stat().st_size == 100_000


def archive_with(name: str, header: dict[str, str]) -> io.BytesIO:
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers=header) as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    layer.seek(0)
    return layer


@pytest.mark.parametrize(
    "layer",
    [
        io.BytesIO(b"no archive at all"),
        archive_with("a", {}),
        archive_with("a", {"SWITCHYARD.layer": "not json"}),
        archive_with("../out", {"SWITCHYARD.layer": "{}"}),
        archive_with("/out", {"SWITCHYARD.layer": "{}"}),
        archive_with("a", {"SWITCHYARD.layer": '{"deleted": ["../victim"]}'}),
        archive_with("a", {"SWITCHYARD.layer": '{"deleted": ["/victim"]}'}),
        archive_with("a", {"SWITCHYARD.layer": '{"modes": {"../victim": 0}}'}),
        archive_with("a", {"SWITCHYARD.layer": '{"root": "/x", "rooted": ["../victim"]}'}),
    ],
)
def test_what_is_no_layer_or_leads_out_is_refused(layer: io.BytesIO, tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    (tmp_path / "victim").write_text("/x")
    with pytest.raises(IntegrityError):
        apply_layer(layer, root, root, nothing)
    assert (tmp_path / "victim").read_text() == "/x"
    assert not (tmp_path / "out").exists()


def test_deletions_do_not_follow_links(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    outside = tree(tmp_path / "outside", {"a": b"kept"})
    shutil.rmtree(root / "d")
    (root / "d").symlink_to(outside)
    apply_layer(archive_with("x", {"SWITCHYARD.layer": '{"deleted": ["d/a"]}'}), root, root, nothing)
    assert (outside / "a").read_bytes() == b"kept"


def test_sizes_count_files_that_are_there(tmp_path: Path) -> None:
    root = tree(tmp_path / "t", {"a": b"123", "d/b": b"45"})
    (root / "l").symlink_to("a")
    assert total_size(root, ["a", "d", "d/b", "l", "gone", "a/x"]) == 5


def test_removing_a_tree_takes_what_is_read_only(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    (root / "d").chmod(0o555)
    remove_tree(root)
    remove_tree(root)
    assert not root.exists()


def refuse(path: object, *_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied", str(path))


def test_what_may_not_be_read_is_the_steps_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path / "t")
    with monkeypatch.context() as patched:
        patched.setattr("activities.clients.layers.Path.open", refuse)
        with pytest.raises(StepFailed, match="/t/a may not be read"):
            write_layer(io.BytesIO(), root, ["a"], [], "test", nothing)
    monkeypatch.setattr("activities.clients.manifests.os.scandir", refuse)
    with pytest.raises(StepFailed, match="may not be read"):
        scan(root, (), nothing)


def test_a_folder_that_vanishes_during_the_walk_is_empty(tmp_path: Path) -> None:
    root = tree(tmp_path / "t")
    calls = 0

    def beat() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            shutil.rmtree(root / "d")

    assert {"a", "b"} <= scan(root, (), beat).keys() <= {"a", "b", "d"}


def test_a_full_disk_may_be_emptier_later(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(Unavailable, match="No space left"):
        write_layer(Full(), tree(tmp_path / "t"), ["a"], [], "test", nothing)
