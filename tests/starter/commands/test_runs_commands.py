"""run, runs, show, retry, watch."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest
from temporalio.client import Client

from pipelines.messages.common import RunRequest
from tests.starter.commands.conftest import Cli, data
from tests.starter.standins import rollout_id


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Git repository with one commit, whose title makes the stand-in run pass; the current directory."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, value in {"NAME": "Ada", "EMAIL": "ada@example.org"}.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    for command in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "pass"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    monkeypatch.chdir(folder)
    return folder


def head(checkout: Path) -> str:
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=checkout, text=True).strip()


def test_run_takes_the_commit_that_is_checked_out(cli: Cli, checkout: Path) -> None:
    answer = data(cli("run", "--json"))
    assert answer["run_id"] == f"local/local/shop/{head(checkout)}/default"
    assert answer["already"] is False
    again = cli("run")
    assert again.exit_code == 0
    assert "is there already" in again.stdout
    assert f"switchyard watch {head(checkout)[:10]}" in again.stdout


def test_run_without_reuse_runs_a_passed_commit_again(cli: Cli, checkout: Path) -> None:
    assert cli("run", "--watch").exit_code == 0
    assert data(cli("run", "--json"))["already"] is True
    assert data(cli("run", "--json", "--no-reuse"))["already"] is False


def test_run_watch_ends_with_the_runs_status(cli: Cli, checkout: Path) -> None:
    passed = cli("run", "--watch")
    assert passed.exit_code == 0
    assert "passed" in passed.stdout
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "fail"], check=True)
    failed = cli("run", "--watch", "--json")
    assert failed.exit_code == 1
    last = json.loads(failed.stdout.splitlines()[-1])
    assert (last["subject"], last["status"]) == ("run", "failed")


def test_run_outside_a_checkout_says_what_to_do(cli: Cli) -> None:
    result = cli("run")
    assert result.exit_code == 2
    assert "name --repo and --sha" in result.stderr
    assert "Traceback" not in result.output


def test_runs_is_a_table_or_json(cli: Cli, begin) -> None:
    asked = begin("wait", repo="acme/table")
    table = cli("runs", "--repo", "acme/table")
    assert table.exit_code == 0
    assert asked.sha[:10] in table.stdout
    assert "STATUS" in table.stdout
    [one] = data(cli("runs", "--repo", "acme/table", "--json"))
    assert (one["run_id"], one["branch"], one["actor"]) == (asked.workflow_id, "main", "ada")
    assert data(cli("runs", "--repo", "acme/none", "--json")) == []
    assert "no runs" in cli("runs", "--repo", "acme/none").stdout


def test_show_is_the_whole_run(cli: Cli, begin) -> None:
    asked: RunRequest = begin("wait")
    shown = cli("show", asked.sha[:12])
    assert shown.exit_code == 0
    for part in ("build", "compile", "go", "approval by anybody with a token", asked.sha[:10]):
        assert part in shown.stdout
    view = data(cli("show", asked.sha[:12], "--json"))
    assert [stage["name"] for stage in view["stages"]] == ["build", "go"]


def test_show_draws_a_rollout(cli: Cli, begin) -> None:
    asked: RunRequest = begin("roll")
    shown = cli("show", asked.sha[:12])
    assert "20 % to two" in shown.stdout
    assert "canary paused: approval at 20 %" in shown.stdout


@pytest.mark.parametrize(("title", "status"), [("pass", 0), ("fail", 1), ("wait", 4), ("hold", 4)])
def test_show_can_end_with_the_runs_status(cli: Cli, begin, title: str, status: int) -> None:
    asked: RunRequest = begin(title)
    if title in ("pass", "fail"):
        assert cli("watch", asked.workflow_id).exit_code == status
    assert cli("show", asked.workflow_id).exit_code == 0
    assert cli("show", asked.workflow_id, "--exit-status").exit_code == status


def test_watch_tells_each_change_and_ends_when_the_run_is_held(cli: Cli, begin) -> None:
    asked: RunRequest = begin("hold")
    watched = cli("watch", asked.workflow_id, "--json")
    assert watched.exit_code == 4
    changes = [json.loads(line) for line in watched.stdout.splitlines()]
    assert {(change["subject"], change["status"]) for change in changes} == {
        ("stage", "passed"), ("stage", "failed"), ("run", "held"),
    }  # fmt: skip
    assert cli("watch", asked.workflow_id).stdout.splitlines()[1].startswith("stage  check  failed  lint found 3 problems")


def test_watch_of_a_rollout_ends_with_its_result(cli: Cli, begin) -> None:
    own = rollout_id(begin("roll").workflow_id)
    assert cli("abort", own).exit_code == 0
    watched = cli("watch", own)
    assert watched.exit_code == 1
    assert "done, 20 %" in watched.stdout


def test_retry_of_a_held_and_of_an_ended_run(cli: Cli, begin) -> None:
    held, failed = begin("hold"), begin("fail")
    assert cli("retry", held.workflow_id, "--stage", "check", "--step", "0").stdout.strip() == "run: retry check 0"
    assert cli("watch", failed.workflow_id).exit_code == 1
    assert cli("retry", failed.workflow_id).stdout.strip() == f"{failed.workflow_id} started again"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["show", "0123456"], 2, "no run of a commit 0123456"),
        (["show", "not a run"], 2, "names no run"),
        (["runs", "--repo", "a'b"], 2, "quotes"),
        (["show", "local/acme/x/" + "0" * 40 + "/default"], 2, "not found"),
    ],
)
def test_wrong_names_are_told_without_a_traceback(cli: Cli, arguments: list[str], status: int, words: str) -> None:
    result = cli(*arguments)
    assert (result.exit_code, words in result.stderr) == (status, True), result.output
    assert "Traceback" not in result.output
    as_json = cli(*arguments, "--json")
    assert as_json.exit_code == status
    assert words in json.loads(as_json.stderr)["message"]


def test_a_silent_server_is_status_3(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    result = cli("runs")
    assert result.exit_code == 3
    assert "does not answer at 127.0.0.1:1" in result.stderr
    assert "switchyard up" in result.stderr


def test_watch_on_a_terminal_is_a_live_tree(begin, standin_server: str, state_dir: Path) -> None:
    """A real pseudo-terminal: the tree is redrawn in place, and the last one stays."""
    import os
    import pty

    asked: RunRequest = begin("hold")
    reader, terminal = pty.openpty()
    env = {**os.environ, "TEMPORAL_ADDRESS": standin_server, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    command = [sys.executable, "-m", "starter.cli", "watch", asked.workflow_id]
    root = Path(__file__).parents[3]
    watcher = subprocess.Popen(command, stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL, env=env, cwd=root)
    os.close(terminal)
    drawn = bytearray()
    try:
        while chunk := os.read(reader, 4096):
            drawn += chunk
    except OSError:
        pass  # the other side of a pseudo-terminal ends with EIO
    finally:
        os.close(reader)
        watcher.wait(20)
    assert watcher.returncode == 4
    assert "lint found 3 problems" in drawn.decode()
    assert "└──" in drawn.decode()


def test_a_run_started_in_temporals_ui_is_listed_by_its_id(cli: Cli, temporal) -> None:
    sha = secrets.token_hex(20)
    run_id = f"github/acme/by-hand/{sha}/default"

    async def start(client: Client) -> None:
        asked = RunRequest(provider="github", repo="acme/by-hand", clone_url="x", sha=sha, title="wait")
        await client.start_workflow("PipelineWorkflow", asked, id=run_id, task_queue="build")

    temporal(start)
    assert data(cli("show", run_id, "--json"))["run"]["title"] == "wait"
    deadline = time.monotonic() + 15
    while not (found := [run for run in data(cli("runs", "--json", "-n", "200")) if run["run_id"] == run_id]):
        assert time.monotonic() < deadline
    assert (found[0]["repo"], found[0]["sha"], found[0]["pipeline"]) == ("acme/by-hand", sha, "default")
