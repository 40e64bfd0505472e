"""Long rollouts and environments go on in new executions, on a server that suggests so early, as if nothing had been."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from pipelines.messages.runs import Abort, Approve, Pause, Resume
from pipelines.ports import MEASURE, ROUTE, WATCH_RELEASE
from tests.support.environment_play import Town
from tests.support.fakes import Stage, World, answers, serving
from tests.support.rollout_play import ANALYSIS, FAIL, Play, canary
from tests.support.temporal import running_server

EARLY = 60
"""Events of a history from which on a new execution is suggested."""
pytestmark = pytest.mark.server

WAITING = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}]


@pytest.fixture(scope="module")
def early_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    flags = ["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={EARLY}"]
    with running_server(tmp_path_factory.mktemp("early"), *flags) as server:
        yield server.address


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def early_stage(early_server: str) -> AsyncIterator[Stage]:
    client = await Client.connect(early_server, data_converter=pydantic_data_converter)
    async with serving(client) as stage:
        yield stage


@pytest.fixture
def world(early_stage: Stage) -> World:
    return early_stage.new()


async def grown(play: Play) -> None:
    """It measures in the background until it has started anew."""
    first = await execution(play)
    await play.until(lambda view: len(view.verdicts) > 6)
    for _ in range(1000):
        if await execution(play) != first:
            return
        await play.until(lambda view: True)
    raise AssertionError("it never started anew")


async def execution(play: Play) -> str | None:
    handle = play.world.client.get_workflow_handle(play.handle.id)
    return (await handle.describe()).run_id


async def started(world: World, **more: Any) -> Play:
    """At 20 %, waiting for approval in its second execution."""
    play = await Play(world, canary(*WAITING, analysis=ANALYSIS, **more)).start()
    play.by_id()
    await play.until_asked(20)
    await grown(play)
    return play


async def test_it_goes_on_where_it_was(world: World) -> None:
    play = await started(world)
    view = await play.until_asked(20)
    assert (view.address, [point.weight for point in view.weights]) == (f"http://{world.service}.test", [20])
    await play.ask(Approve(actor="ann"))
    assert (await play.end()).status == "promoted"
    assert play.shares() == [20, 60, 100]
    revisions = [call.arg.revision for call in world.of(ROUTE)]
    assert revisions == sorted(set(revisions))
    assert world.actions().count("rollout.started") == 1


async def test_approvals_given_before_still_count(world: World) -> None:
    play = await Play(world, canary(*WAITING, analysis=ANALYSIS, approval={"count": 2})).start()
    play.by_id()
    await play.until_asked(20)
    await play.ask(Approve(actor="ann"))
    await grown(play)
    assert (await play.view()).approvals == ["ann"]
    await play.ask(Approve(actor="bob"))
    assert (await play.end()).status == "promoted"


async def test_paused_stays_paused(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, {"pause": {"duration": "500ms"}}, analysis=ANALYSIS)).start()
    play.by_id()
    await play.until_weight(20)
    await play.ask(Pause(actor="ann"))
    await grown(play)
    assert (await play.view()).waiting_for == "'resume' (paused by ann)"
    await play.ask(Resume(actor="ann"))
    assert (await play.end()).status == "promoted"


async def test_the_candidate_is_watched_on(world: World) -> None:
    play = await started(world)
    await world.until(lambda: world.count(WATCH_RELEASE) >= 2)
    world.cluster.crash(play.candidate.id)
    result = await play.end()
    assert result.status == "rolled-back"
    assert result.reason.startswith("the candidate broke")


async def test_the_background_analysis_goes_on(world: World) -> None:
    play = await started(world)
    world.always(MEASURE, "*", answers(FAIL))
    assert (await play.end()).status == "rolled-back"


async def test_aborted_in_a_later_execution(world: World) -> None:
    play = await started(world)
    await play.ask(Abort(actor="ann", reason="no"))
    result = await play.end()
    assert (result.status, result.reason, play.shares()) == ("aborted", "no", [20, 0])


async def test_an_environment_forgets_nothing(world: World) -> None:
    town = Town(world)
    await town.released("one", "two", "three", "four")
    first = (await town.handle.describe()).run_id
    early = town.request("five")
    await town.withdraw(early)
    for _ in range(10):
        await town.released("two", "three")
        if (await town.handle.describe()).run_id != first:
            break
    assert (await town.handle.describe()).run_id != first
    await town.ask(early)
    view = await town.idle()
    assert view.stable == town.release("three")
    assert [each.version for each in view.history] == ["three", "two", "four", "one"]
    await town.result(await town.rollback(to=town.release("one").id))
    await town.idle()
    assert town.runs("one")
