"""The retention workflow: what its schedule asks for is swept, and people see what was."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from pipelines.environment import RETURNABLE
from pipelines.errors import SettingsError, Unavailable
from pipelines.messages.common import ArtifactRef
from pipelines.messages.quality import RetentionInput, RetentionResult
from pipelines.ports import SWEEP_ARTIFACTS
from pipelines.retention import RETURNABLE as KEPT_BY_RETENTION
from tests.support.fakes import World, answers, raises, times


async def sweep(world: World) -> Any:
    return await world.client.start_workflow(
        "RetentionWorkflow", RetentionInput(keep_last=3), id=f"retention-{world.token}", task_queue="artifacts",
        result_type=RetentionResult,
    )  # fmt: skip


async def test_all_that_was_removed_is_counted_not_only_what_is_listed(world: World) -> None:
    removed = [ArtifactRef(name="app", digest=f"sha256:{number}", size=1) for number in range(200)]
    world.plan(SWEEP_ARTIFACTS, "*", answers(RetentionResult(removed=removed, count=450, kept=7, freed=1000)))
    handle = await sweep(world)
    assert (await handle.result()).count == 450
    assert await details(handle) == "Removed 450, kept 7, freed 1000 bytes."
    assert world.of(SWEEP_ARTIFACTS)[0].arg.keep_last == 3


async def details(handle: Any) -> str:
    return str((await handle.query("__temporal_workflow_metadata")).current_details)


async def test_a_sweep_that_is_interrupted_is_swept_again(world: World) -> None:
    world.plan(SWEEP_ARTIFACTS, "*", times(2, raises(Unavailable("its worker was killed"))))
    assert (await (await sweep(world)).result()).kept == 3
    assert world.count(SWEEP_ARTIFACTS) == 3


async def test_what_cannot_be_mended_fails_and_the_schedule_tries_again_next_time(world: World) -> None:
    world.plan(SWEEP_ARTIFACTS, "*", raises(SettingsError("there is no such folder")))
    with pytest.raises(WorkflowFailureError):
        await (await sweep(world)).result()
    assert world.count(SWEEP_ARTIFACTS) == 1


def test_retention_keeps_as_many_releases_as_an_environment_remembers() -> None:
    assert KEPT_BY_RETENTION is RETURNABLE
