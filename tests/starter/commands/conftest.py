"""The command line inside the test's own process, against stand-in workflows on a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import Result
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from typer.testing import CliRunner

from pipelines.messages.common import RunRequest
from starter import runs
from starter.cli import app
from tests.starter.conftest import request, until
from tests.starter.standins import rollout_id

T = TypeVar("T")
Cli = Callable[..., Result]


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Switchyard's own state directory for this test, and no settings of the machine's."""
    for name in ("SWITCHYARD_CONFIG", "SWITCHYARD_ACTOR", "TEMPORAL_PROFILE", "TEMPORAL_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SWITCHYARD_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state"


@pytest.fixture
def cli(standin_server: str, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command; `cli('runs', '--json')`. The server is the stand-ins'."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", standin_server)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def temporal(standin_server: str) -> Callable[[Callable[[Client], Awaitable[Any]]], Any]:
    """Do something with a client of the stand-ins' server."""

    def do(work: Callable[[Client], Awaitable[T]]) -> T:
        async def connected() -> T:
            return await work(await Client.connect(standin_server, data_converter=pydantic_data_converter))

        return asyncio.run(connected())

    return do


@pytest.fixture
def begin(temporal: Callable[..., Any]) -> Callable[..., RunRequest]:
    """Start a stand-in run that is in the lists already (and has its rollout, when it has one)."""

    def started(title: str = "wait", **fields: str) -> RunRequest:
        asked = request(title, **fields)

        async def work(client: Client) -> None:
            await runs.start(client, asked)
            await until(lambda: runs.list_runs(client, sha=asked.sha))
            if title == "roll":
                await until(lambda: _there(client, rollout_id(asked.workflow_id)))

        temporal(work)
        return asked

    return started


async def _there(client: Client, workflow_id: str) -> bool:
    try:
        return bool(await runs.rollout(client, workflow_id))
    except Exception:
        return False


def data(result: Result) -> Any:
    """The JSON answer of a command that succeeded."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
