"""What the ways in say when Temporal answers and no worker does, and when Temporal itself does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from pipelines.errors import NotFound, SettingsError, Unavailable
from pipelines.messages.common import Status
from pipelines.messages.runs import Approve, Skip
from pipelines.settings import Ports, Settings
from starter import runs
from starter.client import connect, connect_config, is_embedded, missing_search_attributes, register_search_attributes
from starter.runs import ask
from tests.starter.conftest import request, until
from tests.starter.standins import standin_worker
from tests.support.ports import free_port
from tests.support.temporal import TemporalServer, running_server


@pytest.fixture(scope="module")
def lonely_server(tmp_path_factory: pytest.TempPathFactory):
    """A server on whose queues nobody works, with one run that failed while somebody did."""
    with running_server(tmp_path_factory.mktemp("lonely")) as server:
        yield server


@pytest.fixture
async def lonely(lonely_server: TemporalServer) -> AsyncIterator[Client]:
    yield await Client.connect(lonely_server.address, data_converter=pydantic_data_converter)


async def test_a_run_without_a_worker_is_shown_in_outline(lonely: Client) -> None:
    asked = request("wait")
    await runs.start(lonely, asked)
    view = await runs.describe(lonely, asked.workflow_id)
    assert (view.status, view.run.title, view.run.sha) == (Status.pending, "wait", asked.sha)
    assert "no worker answers" in view.reason


async def closed(client: Client, workflow_id: str) -> bool:
    return (await client.get_workflow_handle(workflow_id).describe()).close_time is not None


async def test_a_failed_run_without_a_worker_still_says_why(lonely_server: TemporalServer, lonely: Client) -> None:
    asked = request("fail")
    with standin_worker(lonely_server.address):
        await runs.start(lonely, asked)
        await until(lambda: closed(lonely, asked.workflow_id))
    view = await runs.describe(lonely, asked.workflow_id)
    assert (view.status, view.reason) == (Status.failed, "tests failed")
    assert [(stage.name, stage.status) for stage in view.stages] == [("build", Status.failed)]


async def test_an_update_without_a_worker_is_unavailable_in_bounded_time(lonely: Client, monkeypatch) -> None:
    monkeypatch.setattr(ask, "UPDATE_SECONDS", 0.5)
    asked = request("hold")
    await runs.start(lonely, asked)
    async with asyncio.timeout(60):
        with pytest.raises(Unavailable, match="worker"):
            await runs.skip(lonely, asked.workflow_id, Skip(stage="check"))
        with pytest.raises(Unavailable):
            await runs.approve(lonely, asked.workflow_id, Approve())


async def test_a_run_that_never_was_is_not_found(lonely: Client) -> None:
    with pytest.raises(NotFound):
        await runs.describe(lonely, request().workflow_id)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path) -> pytest.MonkeyPatch:
    """An environment without any Temporal configuration of the machine's own."""
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    return monkeypatch


async def test_a_silent_server_is_unavailable_with_the_way_out(plain, tmp_path) -> None:
    settings = Settings(state_dir=tmp_path, ports=Ports(temporal=free_port()))
    with pytest.raises(Unavailable, match="does not answer at 127.0.0.1:.*switchyard up"):
        await connect(settings, patience=3)


def test_temporals_own_configuration_wins(plain, tmp_path) -> None:
    settings = Settings(state_dir=tmp_path, ports=Ports(temporal=7000))
    assert connect_config(settings)["target_host"] == "127.0.0.1:7000"
    assert connect_config(settings)["namespace"] == "default"
    assert is_embedded(settings)
    (tmp_path / "temporal.toml").write_text('[profile.default]\naddress = "cluster:7233"\nnamespace = "cd"\napi_key = "k"\n')
    config = connect_config(settings)
    assert (config["target_host"], config["namespace"], config["api_key"]) == ("cluster:7233", "cd", "k")
    assert not is_embedded(settings)
    plain.setenv("TEMPORAL_ADDRESS", "other:1")
    assert connect_config(settings)["target_host"] == "other:1"


def test_a_broken_configuration_file_is_a_settings_error(plain, tmp_path) -> None:
    (tmp_path / "temporal.toml").write_text("[profile.default\n")
    with pytest.raises(SettingsError, match="TEMPORAL_PROFILE"):
        connect_config(Settings(state_dir=tmp_path))


async def test_search_attributes_are_registered_once(tmp_path, plain) -> None:
    with running_server(tmp_path, "--namespace", "fresh") as server:
        settings = Settings(state_dir=tmp_path, ports=Ports(temporal=server.port), temporal_namespace="fresh")
        client = await connect(settings)
        assert client.namespace == "fresh"
        missing = await missing_search_attributes(client)
        assert await register_search_attributes(client) == missing
        assert await missing_search_attributes(client) == []
        assert await register_search_attributes(client) == []
