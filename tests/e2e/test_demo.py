"""`switchyard demo` as somebody runs it who has just cloned the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines.settings import Ports
from tests.support.components import program
from tests.support.ports import free_ports

SECONDS = 400.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """Its summary, and the state directory that it was given."""
    for needed in ("temporal", "traefik", "git"):
        program(needed)
    state = tmp_path_factory.mktemp("demo") / "state"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "SWITCHYARD_"))}
    ports = dict(zip(Ports.model_fields, free_ports(len(Ports.model_fields)), strict=True))
    own = {f"SWITCHYARD_PORTS__{name.upper()}": str(port) for name, port in ports.items()}
    done = subprocess.run(
        [sys.executable, "-m", "starter.cli", "demo", "--json"],
        env={**kept, **own, "SWITCHYARD_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout), state


def test_it_keeps_every_promise(demo: tuple[dict[str, Any], Path]) -> None:
    summary, _ = demo
    assert summary["ok"]
    assert [check["what"] for check in summary["checks"] if not check["ok"]] == []
    assert len(summary["checks"]) == 5


def test_the_first_two_commits_are_released_and_the_bad_one_is_turned_back(demo: tuple[dict[str, Any], Path]) -> None:
    first, good, bad = demo[0]["runs"]
    assert (first["status"], first["rollout"], first["weights"]) == ("passed", "promoted", [100])
    assert (good["status"], good["rollout"], good["weights"]) == ("passed", "promoted", [20, 60, 100])
    assert (bad["status"], bad["rollout"]) == ("failed", "rolled-back")
    assert bad["weights"][0] == 20
    assert bad["weights"][-1] == 0
    assert "success-rate" in bad["reason"]


def test_no_request_was_lost_and_only_the_bad_release_answered_with_errors(demo: tuple[dict[str, Any], Path]) -> None:
    summary, _ = demo
    first, good, bad = (run["version"] for run in summary["runs"])
    assert summary["lost"] == 0, summary["lost_why"]
    assert summary["sent"] == sum(summary["answered"].values()) > 500
    assert set(summary["answered"]) == {first, good, bad}
    assert set(summary["errors"]) == {bad}


def test_nothing_of_it_runs_on(demo: tuple[dict[str, Any], Path]) -> None:
    mark = str(demo[1])
    left = [each.info for each in psutil.process_iter(["pid", "cmdline"]) if mark in " ".join(each.info["cmdline"] or [])]
    assert left == []


def test_the_secret_is_in_no_log(demo: tuple[dict[str, Any], Path]) -> None:
    folder = demo[1] / "demo"
    secret = (folder / "switchyard.toml").read_text().partition('github_secret = "')[2].partition('"')[0]
    assert len(secret) == 40
    logs = list((folder / "stack").glob("*.log")) + [path for path in (folder / "logs").rglob("*") if path.is_file()]
    assert len(logs) > 20
    assert [path.name for path in logs if secret in path.read_text(errors="replace")] == []
