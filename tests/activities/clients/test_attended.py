"""A slow process is waited for with heartbeats, and ends with its waiter."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from activities.clients.attended import attended
from activities.clients.sbom import python_sbom


def _start(code: str) -> subprocess.Popen[bytes]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True, **pipes)  # type: ignore[call-overload,no-any-return]


def test_a_quick_process_gives_what_it_wrote() -> None:
    process = _start("import sys; data = sys.stdin.read(); print(data.upper()); print('no', file=sys.stderr); sys.exit(3)")
    assert attended(process, b"abc", 30, lambda: None) == (b"ABC\n", b"no\n")
    assert process.returncode == 3


def test_a_slow_one_is_beaten_for_every_second() -> None:
    beats: list[float] = []
    process = _start("import time; time.sleep(2.5); print('done')")
    assert attended(process, b"", 30, lambda: beats.append(time.monotonic()))[0] == b"done\n"
    assert len(beats) >= 2


def test_what_a_slow_reader_has_not_read_yet_still_comes() -> None:
    process = _start("import sys, time; time.sleep(1.5); print(len(sys.stdin.buffer.read()))")
    assert attended(process, b"x" * 1_000_000, 30, lambda: None)[0] == b"1000000\n"


def test_one_that_takes_too_long_is_killed_with_its_children() -> None:
    process = _start("import subprocess; subprocess.run(['sleep', '60'])")
    child = psutil.Process(process.pid)
    with pytest.raises(TimeoutError, match="longer than 0.5 s"):
        attended(process, b"", 0.5, lambda: None)
    assert not child.is_running()


def test_one_whose_activity_is_cancelled_is_killed() -> None:
    def cancelled() -> None:
        raise KeyboardInterrupt

    process = _start("import time; time.sleep(60)")
    with pytest.raises(KeyboardInterrupt):
        attended(process, b"", 30, cancelled)
    assert process.returncode == -9


def test_making_a_bill_of_materials_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow generator on a busy host once looked like a dead worker, again and again."""
    monkeypatch.setattr("activities.clients.attended._BEAT_EVERY", 0.01)
    beats: list[int] = []
    assert b"CycloneDX" in python_sbom(tmp_path, [], "app", beat=lambda: beats.append(1))
    assert beats
