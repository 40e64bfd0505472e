"""releases, rollback."""

from __future__ import annotations

import secrets

import pytest
from temporalio.client import Client

from pipelines.messages.deploy import Place, RollbackRequest
from starter import runs
from tests.starter.commands.conftest import Cli, data
from tests.starter.conftest import until


@pytest.fixture
def environment(temporal) -> str:
    """An environment in which the service `shop` was released."""
    name = f"env-{secrets.token_hex(4)}"

    async def begin(client: Client) -> None:
        await runs.rollback(client, RollbackRequest(place=Place(environment=name, service="shop")))
        await until(lambda: runs.places(client, name))

    temporal(begin)
    return name


def test_releases_lists_what_runs_and_what_ran(cli: Cli, environment: str) -> None:
    shown = cli("releases", environment).stdout
    stable, old = [line.split() for line in shown.splitlines()[1:]]
    assert stable == [environment, "shop", "two", "v-two", "stable"]
    assert old == [environment, "shop", "one", "v-one"]
    [view] = data(cli("releases", environment, "--json"))
    assert [release["id"] for release in view["history"]] == ["two", "one"]


def test_releases_of_an_unknown_environment(cli: Cli) -> None:
    assert cli("releases", "nowhere").stdout.strip() == "nothing was released yet"
    assert data(cli("releases", "nowhere", "--json")) == []


def test_rollback_finds_the_only_service(cli: Cli, environment: str) -> None:
    said = cli("rollback", environment, "-m", "errors")
    assert said.stdout.strip() == f"rolling back: rollout/{environment}/shop/previous, 1 before it"
    named = data(cli("rollback", environment, "--to", "one", "--json"))
    assert named["workflow_id"] == f"rollout/{environment}/shop/one"


def test_rollback_to_nowhere_or_of_nothing(cli: Cli, environment: str) -> None:
    refused = cli("rollback", environment, "--to", "never")
    assert refused.exit_code == 2
    assert "release 'never' has not served here" in refused.stderr
    unknown = cli("rollback", "nowhere")
    assert unknown.exit_code == 2
    assert "switchyard releases" in unknown.stderr
