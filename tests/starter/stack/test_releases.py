"""`down --releases` ends what works in the releases' folder, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.settings import Settings
from starter.stack import releases
from starter.stack.releases import end_releases

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def started(code: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    process.stdout.close()
    return process


def test_only_what_works_there_is_ended(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    folder = settings.layout.releases / "staging"
    folder.mkdir(parents=True)
    inside, watching, outside = (
        started(SLEEP, folder),
        started(SLEEP, tmp_path, str(folder / "replica.json")),
        started(SLEEP, tmp_path),
    )
    try:
        told: list[str] = []
        states = end_releases(settings, told.append)
        assert {state.pid for state in states} == {inside.pid, watching.pid}
        assert {state.state for state in states} == {"stopped"}
        assert told == ["released services: 2 processes ended"]
        assert (inside.wait(10), watching.wait(10)) == (-15, -15)
        assert outside.poll() is None
    finally:
        for process in (inside, watching, outside):
            process.kill()
            process.wait()
    assert end_releases(settings, told.append) == []
    assert told[-1] == "released services: none were running"


def test_who_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "PATIENCE", 0.3)
    settings = Settings(state_dir=tmp_path)
    settings.layout.releases.mkdir()
    deaf = started(DEAF, settings.layout.releases)
    try:
        [state] = end_releases(settings)
        assert (state.pid, state.state) == (deaf.pid, "killed")
        assert deaf.wait(10) == -9
    finally:
        deaf.kill()
        deaf.wait()
