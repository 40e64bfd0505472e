"""The one client of Temporal, and the views that many watchers share."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client

from pipelines.errors import Unavailable
from pipelines.settings import Settings
from starter.api import connection as module
from starter.api.connection import Connection
from starter.api.views import Views
from tests.starter.web.conftest import settings_for
from tests.support.ports import free_port


async def test_all_who_ask_at_once_get_the_same_client(settings: Settings) -> None:
    connection = Connection(settings)
    clients = await asyncio.gather(*(connection.client() for _ in range(20)))
    assert len({id(client) for client in clients}) == 1
    assert await clients[0].service_client.check_health()
    assert await connection.client() is clients[0]


async def test_one_attempt_fails_for_all_and_the_next_may_succeed(
    tmp_path: Path, standin_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0
    real = module.connect

    async def counted(settings: Settings, **options: float) -> Client:
        nonlocal attempts
        attempts += 1
        return await real(settings if attempts > 1 else nowhere, **options)

    nowhere = settings_for(tmp_path, f"127.0.0.1:{free_port()}")
    monkeypatch.setattr(module, "connect", counted)
    connection = Connection(settings_for(tmp_path, standin_server))
    answers = await asyncio.gather(*(connection.client() for _ in range(10)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}
    assert attempts == 1
    assert isinstance(await connection.client(), Client)
    assert attempts == 2


async def test_who_gives_up_waiting_does_not_end_the_attempt_of_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()
    real = module.connect

    async def slow(given: Settings, **options: float) -> Client:
        await go_on.wait()
        return await real(given, **options)

    monkeypatch.setattr(module, "connect", slow)
    connection = Connection(settings)
    hasty, patient = asyncio.create_task(connection.client()), asyncio.create_task(connection.client())
    await asyncio.sleep(0)
    hasty.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await hasty
    assert isinstance(await patient, Client)


class Source:
    """Counts how often it was asked; answers when it may."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None

    async def look(self, name: str) -> str:
        self.asked.append(name)
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return f"{name} {len(self.asked)}"


async def test_a_view_is_kept_as_long_as_it_is_fresh() -> None:
    source = Source()
    views = Views(source.look, fresh=60.0)
    first, same, other = await asyncio.gather(views.of("a"), views.of("a"), views.of("b"))
    assert (first, other[0]) == (same, "b")
    assert await views.of("a") == first
    assert source.asked == ["a", "b"]


async def test_an_old_view_is_asked_for_again() -> None:
    source = Source()
    views = Views(source.look, fresh=0.0)
    assert [await views.of("a"), await views.of("a")] == ["a 1", "a 2"]


async def test_after_a_change_even_a_fresh_view_is_asked_for_again() -> None:
    source = Source()
    views = Views(source.look, fresh=60.0)
    await views.of("a")
    views.forget()
    assert await views.of("a") == "a 2"


async def test_an_error_reaches_all_who_wait_and_is_kept_no_longer_than_a_view() -> None:
    source = Source()
    source.error = Unavailable("no worker")
    views = Views(source.look, fresh=0.0)
    answers = await asyncio.gather(*(views.of("a") for _ in range(5)), return_exceptions=True)
    assert (len(source.asked), {str(answer) for answer in answers}) == (1, {"no worker"})
    source.error = None
    assert await views.of("a") == "a 2"


async def test_views_that_nobody_looks_at_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starter.api.views.MOST", 10)
    views = Views(Source().look, fresh=0.0)
    for number in range(100):
        await views.of(str(number))
    assert len(views._seen) <= 11
