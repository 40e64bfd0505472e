"""Server-sent events over a real socket: logs that grow, runs that change, connections that come back, a server that ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from pipelines.messages.common import RunRequest
from pipelines.messages.runs import Abort, Approve, Pause
from pipelines.settings import Settings
from starter import runs
from starter.api import streams
from starter.web import create_app
from tests.starter.conftest import request, until
from tests.starter.standins import rollout_id
from tests.starter.web.live import Sent, live, stream

LOG = "r/build/00.log"
"""Where the stand-in's only step writes."""


@pytest.fixture
def base(settings: Settings) -> Iterator[str]:
    with live(create_app(settings)) as url:
        yield url


@pytest.fixture
def log(settings: Settings) -> Path:
    path = settings.layout.logs / LOG
    path.parent.mkdir(parents=True)
    return path


def written(path: Path, *texts: str, mode: str = "a") -> None:
    with path.open(mode) as file:
        file.writelines(f"2026-11-23T17:56:01.{number:03d}Z {text}\n" for number, text in enumerate(texts))


async def begin(client: Client, title: str) -> RunRequest:
    wanted = request(title)
    await runs.start(client, wanted)
    return wanted


async def took(events: AsyncIterator[Sent], seconds: float = 15.0) -> Sent:
    async with asyncio.timeout(seconds):
        return await anext(events)


async def all_of(events: AsyncIterator[Sent], seconds: float = 15.0) -> list[Sent]:
    async with asyncio.timeout(seconds):
        return [each async for each in events]


def texts(event: Sent) -> list[str]:
    assert event.event == "lines"
    return [line["text"] for line in event.data]


@asynccontextmanager
async def log_of(base: str, run: RunRequest, query: str = "", **headers: str) -> AsyncIterator[AsyncIterator[Sent]]:
    async with stream(f"{base}/api/runs/{run.workflow_id}/logs/build/0{query}", **headers) as events:
        yield events


async def test_a_finished_log_is_given_whole_and_ends(base: str, standins: Client, log: Path) -> None:
    run = await begin(standins, "wait")
    written(log, "one", "two", "\x1b[31mthree\x1b[0m")
    async with log_of(base, run) as events:
        lines, end = await all_of(events)
    assert texts(lines) == ["one", "two", "\x1b[31mthree\x1b[0m"]
    assert (lines.data[0]["time"], lines.data[0]["continues"]) == ("2026-11-23T17:56:01.000Z", False)
    assert int(lines.id) == log.stat().st_size
    assert (end.event, end.data) == ("end", {"status": "passed"})


async def test_a_log_is_followed_while_it_is_written(base: str, standins: Client, log: Path) -> None:
    run = await begin(standins, "work")
    async with log_of(base, run) as events:
        written(log, "one")
        assert texts(await took(events)) == ["one"]
        with log.open("a") as file:
            file.write("2026-11-23T17:56:02.000Z half a li")
        written(log, "ne")
        half = await took(events)
        assert half.data[0]["text"].startswith("half a li")
        await runs.abort(standins, run.workflow_id, Abort())
        written(log, "last words")
        rest = await all_of(events)
    assert [texts(each) for each in rest[:-1]] == [["last words"]]
    assert rest[-1].event == "end"


async def test_who_comes_back_goes_on_where_they_were(base: str, standins: Client, log: Path) -> None:
    run = await begin(standins, "work")
    written(log, "one", "two")
    async with log_of(base, run) as events:
        seen = await took(events)
    written(log, "three")
    async with log_of(base, run, **{"Last-Event-ID": seen.id}) as events:
        assert texts(await took(events)) == ["three"]
    async with log_of(base, run, f"?offset={seen.id}") as events:
        assert texts(await took(events)) == ["three"]
    async with log_of(base, run, **{"Last-Event-ID": "nonsense"}) as events:
        assert texts(await took(events)) == ["one", "two", "three"]


async def test_a_step_that_begins_anew_resets_its_log(base: str, standins: Client, log: Path) -> None:
    run = await begin(standins, "work")
    written(log, "a long first try", "that went wrong")
    async with log_of(base, run) as events:
        assert len(texts(await took(events))) == 2
        written(log, "again", mode="w")
        assert (await took(events)).event == "reset"
        assert texts(await took(events)) == ["again"]


async def test_a_long_log_comes_in_pieces(base: str, standins: Client, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BATCH", 100)
    run = await begin(standins, "wait")
    written(log, *(str(number) for number in range(999)))
    async with log_of(base, run) as events:
        *pieces, end = await all_of(events)
    assert [text for piece in pieces for text in texts(piece)] == [str(number) for number in range(999)]
    assert (len(pieces), end.event) == (10, "end")


async def test_a_log_that_is_not_on_this_host_ends_empty(base: str, standins: Client) -> None:
    run = await begin(standins, "wait")
    async with log_of(base, run) as events:
        assert [each.event for each in await all_of(events)] == ["end"]


@pytest.mark.parametrize(
    ("place", "error"), [("nowhere/0", "no stage 'nowhere'"), ("build/7", "no step 7"), ("..%2F..%2Fetc/0", "Not Found")]
)
async def test_a_log_that_cannot_be(base: str, standins: Client, place: str, error: str) -> None:
    run = await begin(standins, "wait")
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{base}/api/runs/{run.workflow_id}/logs/{place}")
    assert (answer.status_code, error in answer.json()["error"]) == (404, True)


async def test_a_runs_changes_are_told_until_its_end(base: str, standins: Client) -> None:
    run = await begin(standins, "wait")
    async with stream(f"{base}/api/runs/{run.workflow_id}/events") as events:
        first = await took(events)
        assert (first.event, first.data["status"], first.data["run_id"]) == ("run", "running", run.workflow_id)
        await runs.approve(standins, run.workflow_id, Approve(actor="ada"))
        *changes, end = await all_of(events)
    assert changes[-1].data["status"] == "passed"
    assert "approve go True" in changes[-1].data["reason"]
    assert (end.event, end.data) == ("end", {"status": "passed"})


async def test_a_runs_rollouts_are_told_with_it(base: str, standins: Client) -> None:
    run = await begin(standins, "roll")
    rollout = rollout_id(run.workflow_id)
    async with stream(f"{base}/api/runs/{run.workflow_id}/events") as events:
        seen = await took(events)
        while seen.event != "rollout":
            seen = await took(events)
        assert (seen.data["workflow_id"], seen.data["weight"]) == (rollout, 20)
        await runs.pause(standins, rollout, Pause(actor="ada"))
        while "pause" not in seen.data.get("reason", ""):
            seen = await took(events)


async def test_a_rollouts_changes_are_told_until_its_end(base: str, standins: Client) -> None:
    run = await begin(standins, "roll")
    rollout = rollout_id(run.workflow_id)
    url = f"{base}/api/rollouts/{rollout}/events"

    async def there() -> bool:
        async with httpx.AsyncClient() as http:
            return (await http.get(f"{base}/api/rollouts/{rollout}")).status_code == 200

    await until(there)
    async with stream(url) as events:
        assert (await took(events)).data["status"] == "paused"
        await runs.approve(standins, rollout, Approve())
        *_, last, end = await all_of(events)
    assert (last.data["status"], end.event) == ("done", "end")


async def test_many_watchers_ask_the_workflow_once(settings: Settings, standins: Client) -> None:
    run = await begin(standins, "wait")
    site = create_app(settings).state.site
    asked = 0
    look = site.runs._look

    async def counted(workflow_id: str) -> object:
        nonlocal asked
        asked += 1
        return await look(workflow_id)

    site.runs._look = counted
    views = await asyncio.gather(*(site.runs.of(run.workflow_id) for _ in range(50)))
    assert (asked, len({id(view) for view in views})) == (1, 1)
    site.runs.forget()
    await site.runs.of(run.workflow_id)
    assert asked == 2
