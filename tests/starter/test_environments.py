"""Releases and rollbacks through the environments' workflows."""

from __future__ import annotations

import secrets

import pytest
from temporalio.client import Client

from pipelines.errors import Conflict, NotFound
from pipelines.messages.deploy import Place, RollbackRequest
from starter import runs
from tests.starter.conftest import until


@pytest.fixture
def environment() -> str:
    return f"env-{secrets.token_hex(4)}"


async def begun(client: Client, environment: str, *services: str) -> None:
    """Have environments by asking for a rollback, which starts them."""
    for service in services:
        await runs.rollback(client, RollbackRequest(place=Place(environment=environment, service=service)))

    async def listed() -> bool:
        return len(await runs.places(client, environment)) == len(services)

    await until(listed)


async def test_rollback_starts_the_environment_and_answers_with_a_ticket(standins: Client, environment: str) -> None:
    place = Place(environment=environment, service="shop")
    ticket = await runs.rollback(standins, RollbackRequest(place=place))
    assert (ticket.workflow_id, ticket.ahead) == (f"rollout/{environment}/shop/previous", 1)
    named = await runs.rollback(standins, RollbackRequest(place=place, to="one"))
    assert named.workflow_id == f"rollout/{environment}/shop/one"


async def test_rollback_to_what_never_served_is_refused_in_the_environments_words(standins: Client, environment: str) -> None:
    with pytest.raises(NotFound, match="release 'never' has not served here"):
        await runs.rollback(standins, RollbackRequest(place=Place(environment=environment, service="shop"), to="never"))


async def test_releases_are_the_environments_views(standins: Client, environment: str) -> None:
    await begun(standins, environment, "shop", "cart")
    views = await runs.releases(standins, environment)
    assert [(view.environment, view.service) for view in views] == [(environment, "cart"), (environment, "shop")]
    assert [release.id for release in views[0].history] == ["two", "one"]
    assert [view.service for view in await runs.releases(standins, environment, "shop")] == ["shop"]


async def test_the_service_may_be_left_out_when_there_is_one(standins: Client, environment: str) -> None:
    with pytest.raises(NotFound, match="nothing was released"):
        await runs.the_place(standins, environment)
    await begun(standins, environment, "shop")
    assert (await runs.the_place(standins, environment)).service == "shop"
    await begun(standins, environment, "shop", "cart")
    with pytest.raises(Conflict, match="several services: cart, shop"):
        await runs.the_place(standins, environment)
    assert (await runs.the_place(standins, environment, "cart")).service == "cart"
