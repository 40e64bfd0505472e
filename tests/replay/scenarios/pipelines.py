"""Scenarios of PipelineWorkflow."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowHandle

from tests.replay.scenarios.registry import scenario
from tests.support.fakes import World, pipeline


@scenario
async def pipeline_passed(world: World) -> WorkflowHandle[Any, Any]:
    world.pipeline = pipeline({"build": [], "test": ["build"], "lint": ["build"], "pack": ["test", "lint"]})
    run = await world.start()
    await run.result()
    return run
