"""The DAG of a run: order, parallelism, conditions, matrix, what is told, and how it ends."""

from __future__ import annotations

from pipelines.messages.common import Status
from pipelines.ports import RUN_STEP
from tests.support.fakes import World, pipeline


async def test_stages_run_in_the_order_of_their_needs(world: World) -> None:
    world.pipeline = pipeline({"build": [], "test": ["build"], "lint": ["build"], "pack": ["test", "lint"]})
    run = await world.start()
    result = await run.result()
    assert result.status == Status.passed
    ended = {call.key: call.ended for call in world.of(RUN_STEP)}
    began = {call.key: call.started for call in world.of(RUN_STEP)}
    assert ended["build/0"] < min(began["test/0"], began["lint/0"])
    assert max(ended["test/0"], ended["lint/0"]) < began["pack/0"]
