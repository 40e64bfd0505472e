"""Commands that need no server: config, schema, validate, completion, and how wrong use and wrong settings are told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from starter import cli as cli_module
from starter.cli import app
from starter.commands import processes
from tests.starter.commands.conftest import Cli, data

COMMANDS = (
    "run", "runs", "show", "retry", "watch", "logs", "approve", "abort", "pause", "resume", "promote", "skip", "releases",
    "rollback", "validate", "schema", "audit", "findings", "dora", "up", "down", "status", "doctor", "config", "worker", "serve",
    "demo", "completion",
)  # fmt: skip


def test_help_names_every_command_and_the_exit_status() -> None:
    said = CliRunner().invoke(app, ["--help"])
    assert said.exit_code == 0
    assert [name for name in COMMANDS if name not in said.stdout] == []
    assert "Exit status" in said.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    said = CliRunner().invoke(app, [name, "--help"])
    assert said.exit_code == 0
    assert len(said.stdout.splitlines()) > 5


@pytest.mark.parametrize("arguments", [["nonsense"], ["show"], ["runs", "--limit", "0"], ["show", "x", "--nonsense"]])
def test_wrong_use_is_status_2(cli: Cli, arguments: list[str]) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_config_masks_secrets_and_says_where_settings_come_from(
    cli: Cli, state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "switchyard.toml").write_text('[ports]\nweb = 9000\n[web]\ngithub_secret = "hush-hush"\n')
    monkeypatch.setenv("SWITCHYARD_PORTS__PROXY", "9001")
    monkeypatch.setenv("SWITCHYARD_DATABASE_URL", "postgresql://ada:hush-hush@db/x")
    monkeypatch.setenv("TEMPORAL_API_KEY", "hush-hush")
    said = cli("config")
    assert said.exit_code == 0
    assert "hush" not in said.output
    found = {each["name"]: (each["value"], each["origin"]) for each in data(cli("config", "--json"))}
    assert found["ports.web"] == ("9000", "switchyard.toml")
    assert found["ports.proxy"] == ("9001", "SWITCHYARD_PORTS__PROXY")
    assert found["ports.preview"] == ("8001", "default")
    assert found["state_dir"] == (str(state_dir), "SWITCHYARD_STATE_DIR")
    assert found["web.github_secret"] == ("********", "switchyard.toml")
    assert found["database_url"] == ("********", "SWITCHYARD_DATABASE_URL")
    assert found["web.token"] == ("", "default")
    assert found["temporal.api_key"] == ("********", "Temporal's configuration")
    assert found["temporal.address"][1] == "Temporal's configuration"


@pytest.mark.parametrize(
    ("file", "variables", "words"),
    [
        ("[ports]\nweb = 'hush-hush'\n", {}, "ports.web"),
        ("[ports\n", {}, "cannot be read"),
        ("colour = 'red'\n", {}, "colour"),
        ("", {"SWITCHYARD_PORTS__WEB": "hush-hush"}, "ports.web"),
        ("", {"SWITCHYARD_PORTS": "{"}, "ports"),
    ],
)
def test_wrong_settings_are_named_without_their_values(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, variables: dict[str, str], words: str
) -> None:
    (tmp_path / "switchyard.toml").write_text(file)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    result = cli("config")
    assert result.exit_code == 2
    assert words in result.stderr
    assert "hush" not in result.output
    assert "Traceback" not in result.output


def test_schema_is_a_schema_that_knows_a_pipeline(cli: Cli) -> None:
    schema = data(cli("schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    good = {"version": 1, "name": "p", "service": "s", "stages": {"a": {"steps": [{"run": "true"}]}}}
    jsonschema.validate(good, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(good | {"stagse": {}}, schema)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_the_shell_takes(cli: Cli, shell: str) -> None:
    said = cli("completion", shell)
    assert said.exit_code == 0
    assert "_SWITCHYARD_COMPLETE" in said.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=said.stdout, text=True, check=True)


def test_completion_follows_the_shell_variable(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert "complete --command switchyard" in cli("completion").stdout
    assert cli("completion", "tcsh").exit_code == 2


def test_the_shell_is_given_commands_that_begin_so() -> None:
    env = {**os.environ, "_SWITCHYARD_COMPLETE": "complete_bash", "COMP_WORDS": "switchyard pro", "COMP_CWORD": "1"}
    script = "import sys; sys.argv[0] = 'switchyard'; from starter.cli import app; app(prog_name='switchyard')"
    said = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert said.stdout.split() == ["promote", "proxy"]


def test_worker_becomes_worker_py(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr("starter.stack.worker.worker_file", lambda: "/opt/worker.py")
    monkeypatch.setattr(processes.os, "execv", lambda path, arguments: became.append([path, *arguments]))
    assert cli("worker", "--queues", "build,deploy").exit_code == 0
    assert became == [[sys.executable, sys.executable, "/opt/worker.py", "--queues", "build,deploy"]]


@pytest.mark.parametrize(("arguments", "status"), [(["config", "--json"], 0), (["completion", "tcsh"], 2), (["runs"], 3)])
def test_the_process_ends_with_the_commands_status(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int
) -> None:
    """Temporal's runtime has threads: an ordinary end of the interpreter would sometimes be SIGABRT."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    root = Path(cli_module.__file__).parents[1]
    command = [sys.executable, "-m", "starter.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == status, done.stderr
    if status == 0:
        assert json.loads(done.stdout)


def test_it_really_asks_the_server_and_ends_well_every_time(standin_server: str, state_dir: Path, monkeypatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", standin_server)
    root = Path(cli_module.__file__).parents[1]
    command = [sys.executable, "-m", "starter.cli", "runs", "--json"]
    ends = [subprocess.run(command, capture_output=True, cwd=root, check=False).returncode for _ in range(5)]
    assert ends == [0] * 5
