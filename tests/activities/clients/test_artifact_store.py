"""The artifact store: by digest, verified, whole or absent, shared by many."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.clients.artifact_store import ArtifactStore
from pipelines.errors import IntegrityError, NotFound, StepFailed, Unavailable

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    (root / "app").mkdir(parents=True)
    (root / "app/main.py").write_text("print('hello')")
    (root / "app/notes.txt").write_text("notes")
    return root


def leftovers(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "artifacts/incoming").iterdir()]


def damage(path: Path, data: bytes = b"damaged") -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_bytes_are_kept_by_their_digest(store: ArtifactStore, tmp_path: Path) -> None:
    ref = store.put_bytes(b"a report", "report.json", kind="report", version="1.0")
    assert ref.digest == f"sha256:{hashlib.sha256(b'a report').hexdigest()}"
    assert (ref.name, ref.size, ref.kind, ref.version) == ("report.json", 8, "report", "1.0")
    assert store.read(ref.digest) == b"a report"
    assert store.path(ref.digest).read_bytes() == b"a report"
    assert store.has(ref.digest)
    assert leftovers(tmp_path) == []


def test_a_file_is_copied(store: ArtifactStore, tmp_path: Path) -> None:
    source = tmp_path / "big"
    source.write_bytes(os.urandom(3_000_000))
    content = source.read_bytes()
    ref = store.put_file(source, "big")
    source.write_bytes(b"changed")
    assert store.read(ref.digest) == content
    with pytest.raises(NotFound):
        store.put_file(tmp_path / "missing", "x")


def test_the_same_bytes_are_kept_once(store: ArtifactStore) -> None:
    first, second = store.put_bytes(b"x", "one"), store.put_bytes(b"x", "two")
    assert first.digest == second.digest
    assert [held.digest for held in store.held()] == [first.digest]


@pytest.mark.parametrize("digest", ["", "sha256:short", "md5:" + "0" * 32, "sha256:" + "../" * 21 + "x", "sha256:" + "A" * 64])
def test_what_is_no_digest_is_not_found(store: ArtifactStore, digest: str) -> None:
    for ask in (store.has, store.open, store.path, store.remove):
        with pytest.raises(NotFound, match="not a digest"):
            ask(digest)


def test_an_unknown_digest_is_not_found(store: ArtifactStore, tmp_path: Path) -> None:
    unknown = f"sha256:{'0' * 64}"
    assert not store.has(unknown)
    for ask in (store.open, store.path, store.read):
        with pytest.raises(NotFound, match="not in the store"):
            ask(unknown)
    with pytest.raises(NotFound):
        store.unpack(unknown, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damaged_bytes_are_never_given_out_and_storing_again_mends_them(store: ArtifactStore, tree: Path, tmp_path: Path) -> None:
    ref = store.pack(tree, ["app"], "app")
    damage(store.path(ref.digest))
    for ask in (store.open, store.path, store.read):
        with pytest.raises(IntegrityError, match="damaged"):
            ask(ref.digest)
    with pytest.raises(IntegrityError):
        store.unpack(ref.digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert store.pack(tree, ["app"], "app") == ref
    store.unpack(ref.digest, tmp_path / "out")
    assert (tmp_path / "out/app/main.py").read_text() == "print('hello')"


def test_packing_equal_trees_is_one_artifact(store: ArtifactStore, tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "copy")
    first = store.pack(tree, ["app"], "app", exclude=["**/*.txt"], version="1.2")
    assert store.pack(tmp_path / "copy", ["app/*.py", "app"], "app", exclude=["app/notes.txt"], version="1.2") == first
    assert first.size == store.path(first.digest).stat().st_size


def test_what_cannot_be_packed_leaves_nothing(store: ArtifactStore, tree: Path, tmp_path: Path) -> None:
    (tree / "app/evil").symlink_to("/etc/passwd")
    with pytest.raises(StepFailed):
        store.pack(tree, ["app"], "app")
    assert list(store.held()) == []
    assert leftovers(tmp_path) == []


def test_a_store_that_cannot_be_written_is_unavailable(store: ArtifactStore, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "artifacts/sha256")
    (tmp_path / "artifacts/sha256").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be written"):
        store.put_bytes(b"x", "x")
    assert leftovers(tmp_path) == []


def test_unpacking_is_whole_and_done_once(store: ArtifactStore, tree: Path, tmp_path: Path) -> None:
    ref = store.pack(tree, ["."], "app")
    out = tmp_path / "releases" / "web-1"
    store.unpack(ref.digest, out)
    (out / "app/main.py").write_text("changed by the release")
    store.unpack(ref.digest, out)
    assert (out / "app/main.py").read_text() == "changed by the release"
    assert [path.name for path in out.parent.iterdir()] == ["web-1"]


def test_a_half_unpacked_folder_is_thrown_away(store: ArtifactStore, tree: Path, tmp_path: Path) -> None:
    ref = store.pack(tree, ["."], "app")
    partial = tmp_path / ".out.partial"
    partial.mkdir()
    (partial / "stale").write_text("from a killed worker")
    store.unpack(ref.digest, tmp_path / "out")
    assert not partial.exists()
    assert not (tmp_path / "out/stale").exists()


def test_unpacking_at_once_is_unpacking_once(store: ArtifactStore, tree: Path, tmp_path: Path) -> None:
    ref = store.pack(tree, ["."], "app")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: store.unpack(ref.digest, tmp_path / "out"), range(6)))
    assert (tmp_path / "out/app/notes.txt").read_text() == "notes"


def test_layers_are_unpacked_over_what_is_there(store: ArtifactStore, tree: Path, tmp_path: Path) -> None:
    (tree / "app/python").symlink_to("/usr/bin/python3")
    layer = store.pack_names(tree, ["app/main.py", "app/python"], "layer", kind="layer", outside_links=True, keep_times=True)
    out = tmp_path / "out"
    (out / "app").mkdir(parents=True)
    (out / "app/main.py").write_text("old")
    (out / "app/other").write_text("stays")
    for _ in range(2):
        store.unpack_over(layer.digest, out)
    assert sorted(path.name for path in (out / "app").iterdir()) == ["main.py", "other", "python"]
    assert (out / "app/main.py").read_text() == "print('hello')"


def test_removing_frees_bytes_once(store: ArtifactStore) -> None:
    ref = store.put_bytes(b"12345", "x")
    assert store.remove(ref.digest) == 5
    assert store.remove(ref.digest) == 0
    assert not store.has(ref.digest)


def test_what_was_put_again_since_is_not_removed(store: ArtifactStore) -> None:
    ref = store.put_bytes(b"12345", "x")
    before = time.time() - 60
    os.utime(store.path(ref.digest), (before - 60, before - 60))
    store.put_bytes(b"12345", "x")
    assert store.remove(ref.digest, unless_put_after=before) == 0
    assert store.read(ref.digest) == b"12345"
    assert store.remove(ref.digest, unless_put_after=time.time() + 1) == 5


def test_putting_and_removing_at_once_never_loses_what_was_put_last(store: ArtifactStore) -> None:
    decided = time.time() - 1
    with ThreadPoolExecutor(8) as pool:
        for _ in range(40):
            put = pool.submit(store.put_bytes, b"contended", "x")
            pool.submit(store.remove, put.result().digest, decided)
            assert store.read(put.result().digest) == b"contended"


def test_large_files_are_heartbeat_for(tmp_path: Path) -> None:
    beats: list[int] = []
    store = ArtifactStore(tmp_path / "artifacts", beat=lambda: beats.append(1))
    ref = store.put_bytes(os.urandom(5 << 20), "big")
    hashing = len(beats)
    store.path(ref.digest)
    assert hashing >= 5
    assert len(beats) >= 2 * hashing


KILLED = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from activities.clients.artifact_store import ArtifactStore

    store = ArtifactStore(Path(sys.argv[1]))
    number = 0
    while True:
        number += 1
        ref = store.put_bytes(b"%d" % number * 200_000, "x")
        print(ref.digest, flush=True)
    """
)


def test_a_killed_writer_leaves_whole_artifacts_and_what_can_be_swept(store: ArtifactStore, tmp_path: Path) -> None:
    told = []
    for lines in (3, 5, 8):
        command = [sys.executable, "-c", KILLED, str(tmp_path / "artifacts")]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        told += [process.stdout.readline().strip() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert all(told)
    for held in store.held():
        store.path(held.digest)
    assert {held.digest for held in store.held()} >= set(told)
    assert store.sweep_incoming(time.time() - 3600) == 0
    store.sweep_incoming(time.time() + 3600)
    assert leftovers(tmp_path) == []
