"""What a run tells: audit, records, events, notifications, search attributes and its page in Temporal's UI."""

from __future__ import annotations

from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHandle
from temporalio.common import SearchAttributeKey

from pipelines import attributes
from pipelines.errors import Unavailable
from pipelines.messages.common import Status
from pipelines.messages.quality import GateDecision
from pipelines.ports import AUDIT, EVALUATE_GATE, NOTIFY, PUBLISH, RUN_STEP
from tests.support.ended import failure
from tests.support.fakes import Gate, World, answers, fails, pipeline, raises, step, times, waits


async def details(run: WorkflowHandle[Any, Any]) -> str:
    """The page that Temporal's UI shows."""
    found: WorkflowMetadata = await run.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return found.current_details


async def test_a_run_is_audited_recorded_published_and_notified(world: World) -> None:
    run = await world.start(world.request(actor="ann", title="Sell shoes"))
    await run.result()
    assert world.actions() == ["run.started", "run.finished"]
    assert world.entry("run.started").actor == "ann"
    assert [record.status for record in world.runs] == [Status.running, Status.passed]
    last = world.runs[-1]
    assert (last.run_id, last.title, last.version, last.committed_at) == (run.id, "Sell shoes", "1.0.0", 1000.0)
    assert last.finished_at is not None
    await world.until(lambda: len(world.events) == 2 and len(world.told) == 1)
    assert [event.type for event in world.events] == ["BuildStartedEvent", "BuildCompletedEvent"]
    assert (world.told[0].level, world.told[0].title.split(": ")[1]) == ("success", "passed")


async def test_a_failed_run_tells_how_to_retry_it(world: World) -> None:
    world.plan(RUN_STEP, "build/0", fails("2 problems"))
    run = await world.start()
    await failure(run)
    await world.until(lambda: len(world.told) == 1)
    assert world.told[0].level == "error"
    assert "2 problems" in world.told[0].text
    assert f"switchyard retry '{run.id}'" in world.told[0].text


async def test_receivers_that_are_away_neither_block_a_run_nor_miss_anything(world: World) -> None:
    world.always(NOTIFY, "*", raises(Unavailable("no channel")))
    world.always(PUBLISH, "*", raises(Unavailable("no broker")))
    run = await world.start()
    assert (await run.result()).status == Status.passed
    assert world.told == []
    await world.until(lambda: world.count(NOTIFY) >= 1 and world.count(PUBLISH) >= 2)
    world.always(NOTIFY, "*", None)
    world.always(PUBLISH, "*", None)
    await world.until(lambda: len(world.told) == 1 and len(world.events) == 2)


async def test_a_run_does_not_close_before_its_records_are_written(world: World) -> None:
    world.plan(AUDIT, "run.finished", *times(2, raises(Unavailable("database"))))
    run = await world.start()
    await run.result()
    assert world.actions() == ["run.started", "run.finished"]
    assert world.count(AUDIT, "run.finished") == 3


async def test_records_keep_the_order_of_what_happened(world: World) -> None:
    world.plan(AUDIT, "run.started", *times(2, raises(Unavailable("database"))))
    await (await world.start()).result()
    ends = {call.key: call.ended or 0 for call in world.of(AUDIT) if call.outcome == "done"}
    assert ends["run.started"] < min(call.started for call in world.of(AUDIT, "run.finished"))


async def test_a_refused_gate_says_why_with_its_evidence(world: World) -> None:
    refused = GateDecision(
        passed=False, reasons=["coverage 61 %, at least 80 % asked"], evidence=["coverage 61 %", "no findings"]
    )
    world.pipeline = pipeline({"check": {"steps": [step()], "gate": {}}, "deploy": ["check"]})
    world.plan(EVALUATE_GATE, "check", answers(refused))
    run = await world.start()
    assert "gate refused: coverage 61 %, at least 80 % asked" in str(await failure(run))
    assert world.count(RUN_STEP) == 1
    entry = world.entry("gate.refused")
    assert entry.evidence == {"stage": "check", "00": "coverage 61 %", "01": "no findings"}


async def test_a_passed_gate_is_audited_too(world: World) -> None:
    world.pipeline = pipeline({"check": {"gate": {}}})
    await (await world.start()).result()
    assert world.entry("gate.passed").evidence["00"] == "coverage 91 %, at least 80 % asked"


async def test_runs_are_found_by_their_search_attributes(world: World) -> None:
    world.pipeline = pipeline({"build": []}, service=world.service)
    run = await world.start()
    await run.result()
    found = (await run.describe()).typed_search_attributes
    expected = {
        attributes.REPO: world.repo,
        attributes.BRANCH: "main",
        attributes.SERVICE: world.service,
        attributes.STATUS: "passed",
    }
    assert {name: found[SearchAttributeKey.for_keyword(name)] for name in expected} == expected


async def test_the_page_in_temporals_ui_tells_the_story(world: World) -> None:
    slow = Gate()
    world.pipeline = pipeline({"build": [], "deploy": {"needs": ["build"], "steps": [step()], "approval": {}}})
    world.plan(RUN_STEP, "build/0", waits(slow))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1)
    page = await details(run)
    assert f"**{world.repo}**" in page
    assert "| build | ▶ |" in page
    assert "| deploy | ○ |" in page
    slow.open()
    await world.until_view(run, lambda view: view.stages[1].status == Status.waiting)
    page = await details(run)
    assert "| build | ✔ |" in page
    assert "- `deploy` waits for approval by anybody with a token (1)" in page
    await run.execute_update("approve", {"actor": "ann"})
    await run.result()
    assert "✔ passed" in await details(run)


async def test_a_run_of_many_stages_ends_with_a_history_of_bounded_size(world: World) -> None:
    """Far from Temporal's limit of 51 200 events, so that a run needs no second execution."""
    world.pipeline = pipeline({f"s{number}": {"steps": [step(), step()]} for number in range(12)})
    run = await world.start()
    await run.result()
    assert (await run.describe()).history_length < 12 * 60
