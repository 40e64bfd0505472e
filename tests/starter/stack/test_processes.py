"""Detached processes: known again, ended politely or not, never confused with strangers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from starter.stack.processes import forget, last_lines, recall, spawn, stop, wait

SLEEPER = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(600)",
]


def test_a_process_is_detached_logged_and_known_again(tmp_path: Path) -> None:
    record = spawn("sleeper", SLEEPER, env={**os.environ, "MARK": "x"}, folder=tmp_path)
    try:
        assert record.alive
        assert os.getsid(record.pid) == record.pid
        assert recall("sleeper", tmp_path) == record
        assert wait(lambda: "awake" in last_lines("sleeper", tmp_path), 10)
        assert psutil.Process(record.pid).environ()["MARK"] == "x"
    finally:
        assert stop(record, 10) == "stopped"
    assert not record.alive
    assert recall("sleeper", tmp_path) is None
    assert stop(record, 1) == "was not running"


def test_who_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    record = spawn("stubborn", STUBBORN, env=os.environ, folder=tmp_path)
    assert wait(lambda: last_lines("stubborn", tmp_path).strip().isdigit(), 10)
    child = int(last_lines("stubborn", tmp_path).strip())
    assert psutil.pid_exists(child)
    assert stop(record, 0.3) == "killed, it had not ended within 0.3 s"
    assert wait(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE, 10)


def test_it_outlives_who_started_it(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from starter.stack.processes import spawn; "
        f"print(spawn('sleeper', {SLEEPER!r}, env=os.environ, folder=Path({str(tmp_path)!r})).pid)"
    )
    pid = int(subprocess.check_output([sys.executable, "-c", script], text=True))
    record = recall("sleeper", tmp_path)
    assert record
    assert record.pid == pid
    assert stop(record, 10) == "stopped"


def test_a_reused_pid_is_not_ours(tmp_path: Path) -> None:
    record = spawn("sleeper", SLEEPER, env=os.environ, folder=tmp_path)
    try:
        assert not record.model_copy(update={"started": record.started - 1}).alive
    finally:
        stop(record, 10)


def test_a_torn_or_missing_file_is_no_process(tmp_path: Path) -> None:
    assert recall("nobody", tmp_path) is None
    (tmp_path / "torn.json").write_text('{"name": "torn", "pid"')
    assert recall("torn", tmp_path) is None
    forget("torn", tmp_path)
    forget("torn", tmp_path)
    assert not (tmp_path / "torn.json").exists()


def test_last_lines_of_a_long_log(tmp_path: Path) -> None:
    (tmp_path / "part.log").write_text("".join(f"line {number}\n" for number in range(9000)))
    assert last_lines("part", tmp_path, 2) == "    line 8998\n    line 8999"
    assert last_lines("other", tmp_path) == ""
