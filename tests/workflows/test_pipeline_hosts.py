"""Hosts that are lost under a run: the workspace is made anew elsewhere, and what was only in it is done again."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from pipelines.errors import HostLost, Unavailable, WorkspaceLost
from pipelines.messages.common import Status
from pipelines.ports import DROP_WORKSPACES, OPEN_STAGE, RUN_STEP, SEAL_STAGE
from tests.support.ended import failure
from tests.support.fakes import Gate, Stage, World, fails, loses_host, pipeline, raises, step, waits


def on_hosts(world: World) -> list[tuple[str, str]]:
    return [(call.key, call.queue.removeprefix("host-")) for call in world.of(RUN_STEP)]


async def test_a_host_that_never_answers_is_given_up(world: World) -> None:
    world.pipeline = pipeline({"a": {"steps": [step("x"), step("y")]}})
    world.host = "gone"
    run = await world.start()
    await world.until(lambda: world.count(OPEN_STAGE) == 1)
    world.move_to("b")
    assert (await run.result()).status == Status.passed
    assert on_hosts(world) == [("a/0", "b"), ("a/1", "b")]
    assert [call.arg.generation for call in world.of(OPEN_STAGE)] == [1, 2]
    lost = world.entry("workspace.lost")
    assert (lost.reason, lost.evidence["host"]) == ("no answer in time (schedule to start)", "gone")


async def test_a_host_that_dies_in_the_middle_of_a_stage(world: World, stage: Stage) -> None:
    """Its worker shuts down under a step and never comes back."""
    slow, name = Gate(), f"x-{world.token}"
    world.pipeline = pipeline({"a": [], "b": {"needs": ["a"], "steps": [step("x"), step("y")]}})
    world.plan(RUN_STEP, "b/1", waits(slow))
    world.host = name
    async with stage.host(name):
        run = await world.start()
        await world.until(lambda: slow.waiting == 1)
    world.move_to("b")
    assert (await run.result()).status == Status.passed
    assert on_hosts(world) == [("a/0", name), ("b/0", name), ("b/1", name), ("b/0", "b"), ("b/1", "b")]
    assert [layer.name for layer in world.of(OPEN_STAGE, "b")[-1].arg.layers] == ["a-layer"]


@pytest.mark.parametrize("error", [HostLost("host away"), WorkspaceLost("workspace away")])
async def test_a_workspace_that_vanished_is_made_anew_and_the_stage_begins_again(world: World, error: Exception) -> None:
    world.pipeline = pipeline({"a": {"steps": [step("x"), step("y"), step("z")]}})
    world.plan(RUN_STEP, "a/2", *([raises(error)] * (5 if isinstance(error, HostLost) else 1)))
    run = await world.start()
    assert (await run.result()).status == Status.passed
    done = [call.key for call in world.of(RUN_STEP) if call.outcome == "done"]
    assert done == ["a/0", "a/1", "a/0", "a/1", "a/2"]
    assert len(world.of(RUN_STEP, "a/2")) == (6 if isinstance(error, HostLost) else 2)
    assert [each.status for each in (await world.view(run)).stages[0].steps] == [Status.passed] * 3


async def test_stages_that_have_passed_are_not_repeated(world: World) -> None:
    world.pipeline = pipeline({"a": [], "b": ["a"], "c": ["b"]})
    world.plan(RUN_STEP, "c/0", loses_host())
    assert (await (await world.start()).result()).status == Status.passed
    assert on_hosts(world) == [("a/0", "a"), ("b/0", "a"), ("c/0", "a"), ("c/0", "b")]
    assert [layer.name for layer in world.of(OPEN_STAGE, "c")[-1].arg.layers] == ["a-layer", "b-layer"]


async def test_a_workspace_lost_before_it_was_collected(world: World) -> None:
    world.pipeline = pipeline({"a": []})
    world.plan(SEAL_STAGE, "a", loses_host())
    result = await (await world.start()).result()
    assert result.status == Status.passed
    assert on_hosts(world) == [("a/0", "a"), ("a/0", "b")]
    assert [call.queue for call in world.of(SEAL_STAGE)] == ["host-a", "host-b"]


async def test_a_failed_stage_whose_workspace_is_lost_has_failed_and_is_not_run_again(world: World) -> None:
    world.pipeline = pipeline({"a": []})
    world.plan(RUN_STEP, "a/0", fails("2 problems"))
    world.plan(SEAL_STAGE, "a", raises(WorkspaceLost("away")))
    assert "2 problems" in str(await failure(await world.start()))
    assert world.count(RUN_STEP) == 1


async def test_a_sibling_in_the_same_workspace_begins_again_too(world: World) -> None:
    """It does not wait until it finds out itself, nor go on in a workspace that lacks what it had done."""
    slow, bad = Gate(), Gate()
    world.pipeline = pipeline({"a": {"steps": [step("x"), step("y")]}, "b": []})
    world.plan(RUN_STEP, "a/1", waits(slow))
    world.plan(RUN_STEP, "b/0", waits(bad, loses_host()))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1 and bad.waiting == 1)
    bad.open()
    assert (await run.result()).status == Status.passed
    a_steps = [(call.key, call.queue, call.outcome) for call in world.of(RUN_STEP) if call.arg.stage == "a"]
    assert a_steps == [
        ("a/0", "host-a", "done"),
        ("a/1", "host-a", "cancelled"),
        ("a/0", "host-b", "done"),
        ("a/1", "host-b", "done"),
    ]
    assert world.actions().count("workspace.lost") == 1


async def test_a_stage_gives_up_when_every_host_is_lost(world: World) -> None:
    world.pipeline = pipeline({"a": []})
    world.always(RUN_STEP, "*", raises(WorkspaceLost("away")))
    assert "5 hosts were lost under it" in str(await failure(await world.start()))
    assert world.count(RUN_STEP) == 5
    assert [call.arg.generation for call in world.of(OPEN_STAGE)] == [1, 2, 3, 4, 5]


async def test_a_step_that_is_interrupted_is_taken_on_by_the_next_attempt(world: World) -> None:
    world.pipeline = pipeline({"a": []})
    world.plan(RUN_STEP, "a/0", raises(HostLost("the worker lets go")))
    run: WorkflowHandle[Any, Any] = await world.start()
    assert (await run.result()).status == Status.passed
    assert on_hosts(world) == [("a/0", "a"), ("a/0", "a")]
    assert "workspace.lost" not in world.actions()


async def test_an_unanswered_error_is_no_lost_host(world: World) -> None:
    world.pipeline = pipeline({"a": {"steps": [step()], "retry": {"infrastructure": 0}}})
    world.plan(RUN_STEP, "a/0", raises(Unavailable("supervisor")))
    assert "supervisor" in str(await failure(await world.start()))
    assert "workspace.lost" not in world.actions()


async def test_only_workspaces_that_are_there_are_removed(world: World) -> None:
    world.pipeline = pipeline({"a": [], "m": {"matrix": {"k": [1, 2]}, "steps": [step()]}})
    world.plan(RUN_STEP, "a/0", loses_host())
    await (await world.start()).result()
    dropped = {(each.host, each.name) for call in world.of(DROP_WORKSPACES) for each in call.arg.workspaces}
    assert ("b", "shared") in dropped
    assert ("a", "shared") not in dropped
