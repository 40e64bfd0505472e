"""logs: found beside the run, one after the other, followed while they grow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pipelines.layout import Layout
from tests.starter.commands.conftest import Cli

TIME = "2026-11-23T17:56:01.123Z"


def write(state_dir: Path, name: str, *lines: str) -> Path:
    file = Layout(state_dir).logs / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as log:
        log.writelines(f"{TIME} {line}\n" for line in lines)
    return file


def test_logs_of_all_steps_with_their_place_in_front(cli: Cli, begin, state_dir: Path) -> None:
    asked = begin("wait")
    write(state_dir, "r/build/00.log", "cc main.c", "done")
    assert cli("logs", asked.workflow_id).stdout.splitlines() == ["build/0 | cc main.c", "build/0 | done"]
    assert cli("logs", asked.workflow_id, "--times").stdout.splitlines()[0] == f"build/0 | {TIME} cc main.c"
    first = json.loads(cli("logs", asked.workflow_id, "--json").stdout.splitlines()[0])
    assert first == {"step": "build/0", "time": TIME, "text": "cc main.c"}


def test_logs_can_be_narrowed(cli: Cli, begin, state_dir: Path) -> None:
    asked = begin("wait")
    write(state_dir, "r/build/00.log", "one")
    assert cli("logs", asked.workflow_id, "--stage", "build", "--step", "0").stdout.strip() == "build/0 | one"
    other = cli("logs", asked.workflow_id, "--step", "7")
    assert (other.exit_code, "no log" in other.stderr) == (2, True)
    wrong = cli("logs", asked.workflow_id, "--stage", "nope")
    assert (wrong.exit_code, "Stages: build, go" in wrong.stderr) == (2, True)


def test_logs_that_are_not_on_this_host(cli: Cli, begin) -> None:
    result = cli("logs", begin("wait").workflow_id)
    assert result.exit_code == 2
    assert "Logs are on the worker's host" in result.stderr


def test_follow_shows_what_is_written_later_and_ends_with_the_run(cli: Cli, begin, state_dir: Path) -> None:
    asked = begin("wait")
    write(state_dir, "r/build/00.log", "early")
    follower = subprocess.Popen(
        [sys.executable, "-m", "starter.cli", "logs", "-f", asked.workflow_id],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3], env=os.environ,
    )  # fmt: skip
    try:
        assert follower.stdout
        assert follower.stdout.readline() == "build/0 | early\n"
        write(state_dir, "r/build/00.log", "late")
        assert follower.stdout.readline() == "build/0 | late\n"
        assert follower.poll() is None
        assert cli("approve", asked.workflow_id).exit_code == 0
        assert follower.wait(60) == 0
    finally:
        follower.kill()
        follower.wait()
        follower.stdout.close()
