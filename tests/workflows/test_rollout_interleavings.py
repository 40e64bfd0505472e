"""Whatever people ask and whatever activities answer, in whatever order: it ends at 0 or 100 %, and no abort is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from temporalio.client import RPCError, WorkflowUpdateFailedError

from pipelines.errors import Conflict, ReleaseUnhealthy, Unavailable
from pipelines.messages.runs import Abort, Approve, Pause, Promote, Resume
from pipelines.ports import ENSURE_RELEASE, MEASURE, RETIRE_RELEASE, ROUTE, RUN_CHECKS, Port
from tests.support.fakes import Behaviour, Stage, World, answers, breaks, passes, raises
from tests.support.rollout_play import ANALYSIS, FAIL, PASS, UNSURE, Play, canary, spec

pytestmark = pytest.mark.server

ASKS: dict[str, BaseModel] = {
    "approve": Approve(actor="ann"),
    "reject": Approve(actor="ann", approved=False),
    "pause": Pause(actor="ann"),
    "resume": Resume(actor="ann"),
    "promote": Promote(actor="ann"),
    "promote fully": Promote(actor="ann", full=True),
    "abort": Abort(actor="ann"),
}
EVENTS = [*ASKS, "cancel", "crash", "nothing"]

ANSWERS: dict[Port[Any, Any], list[Behaviour]] = {
    ENSURE_RELEASE: [passes, raises(Unavailable("away")), breaks(Unavailable("killed")), raises(ReleaseUnhealthy("bad"))],
    ROUTE: [passes, breaks(Unavailable("killed")), breaks(Conflict("edited"))],
    RETIRE_RELEASE: [passes, breaks(Unavailable("killed")), raises(Unavailable("away"))],
    MEASURE: [answers(PASS), answers(UNSURE), answers(FAIL), raises(Unavailable("away"))],
    RUN_CHECKS: [passes, raises(ReleaseUnhealthy("500"))],
}
MILD = st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3])
"""Most answers are good ones, or nothing would ever come to its end."""

STRATEGIES: dict[str, Callable[[], Any]] = {
    "canary": lambda: canary(
        {"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"analysis": True}, {"pause": {"duration": "30ms"}},
        analysis=ANALYSIS, scaleDownDelay="50ms",
    ),
    "blue-green": lambda: spec(
        "blue-green", prePromotionChecks=[{}], postPromotionChecks=[{}], autoPromotionEnabled=False, analysis=ANALYSIS,
        scaleDownDelay="50ms",
    ),
    "rolling": lambda: spec("rolling", analysis=ANALYSIS, maxUnavailable=1, scaleDownDelay="50ms"),
}  # fmt: skip


@dataclass
class Story:
    """One rollout: what each activity answers, then what happens after how many milliseconds."""

    world: World
    play: Play
    accepted: list[str] = field(default_factory=list)

    async def happens(self, event: str) -> None:
        if event == "cancel":
            await self.play.handle.cancel()
        elif event == "crash":
            self.world.cluster.crash(self.play.candidate.id)
        elif event in ASKS:
            with contextlib.suppress(WorkflowUpdateFailedError):
                await self.play.ask(ASKS[event])
                self.accepted.append(event)

    async def ends(self) -> None:
        """Whatever it waits for, people say yes in the end."""
        ended = asyncio.ensure_future(self.play.handle.result())
        while not (await asyncio.wait([ended], timeout=0.1))[0]:
            for event in ("resume", "approve"):
                with contextlib.suppress(RPCError):
                    await self.happens(event)
        await self.check()

    async def check(self) -> None:
        result = await self.play.end()
        assert result.status in ("promoted", "rolled-back", "aborted"), result
        if {"abort", "reject"} & set(self.accepted):
            assert result.status != "promoted", (self.accepted, result)
        assert (result.stable_id == self.play.candidate.id) == (result.status == "promoted")
        gone = f"old-{self.world.service}" if result.status == "promoted" else self.play.candidate.id
        assert gone not in self.world.cluster.replicas
        assert self.world.deployments[0].status == result.status


stories = st.fixed_dictionaries(
    {
        "strategy": st.sampled_from(sorted(STRATEGIES)),
        "answers": st.fixed_dictionaries({port.name: st.lists(MILD, max_size=5) for port in ANSWERS}),
        "events": st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 120)), max_size=6),
    }
)


async def tell(stage: Stage, story: dict[str, Any]) -> None:
    world = stage.new()
    for port, possible in ANSWERS.items():
        chosen = story["answers"][port.name]
        world.plan(port, "*", [possible[min(number, len(possible) - 1)] for number in chosen])
    told = Story(world, await Play(world, STRATEGIES[story["strategy"]](), replicas=3).start())
    with contextlib.suppress(RPCError):
        for event, after in story["events"]:
            await asyncio.sleep(after / 1000)
            await told.happens(event)
    await told.ends()


async def test_any_story_ends_well(stage: Stage) -> None:
    """Told at once, since each of them mostly waits."""
    chosen: list[dict[str, Any]] = []

    @settings(max_examples=25, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(stories)
    def choose(story: dict[str, Any]) -> None:
        chosen.append(story)

    choose()
    endings = await asyncio.gather(*(_told(stage, story) for story in chosen))
    assert [each for each in endings if each] == []


async def _told(stage: Stage, story: dict[str, Any]) -> str:
    try:
        await asyncio.wait_for(tell(stage, story), 60)
    except Exception as error:
        return f"{story}: {type(error).__name__} {error}"
    return ""


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
async def test_an_abort_at_any_moment(stage: Stage, strategy: str) -> None:
    """Every 25 ms of a rollout that is approved as soon as it asks."""
    nothing: dict[str, list[int]] = {port.name: [] for port in ANSWERS}
    moments = [{"strategy": strategy, "answers": nothing, "events": [("nothing", 25 * n), ("abort", 0)]} for n in range(6)]
    endings = await asyncio.gather(*(_told(stage, story) for story in moments))
    assert [each for each in endings if each] == []
