"""Rolling updates, rollbacks without pauses, and the first release of a service."""

from __future__ import annotations

import pytest

from pipelines.errors import ReleaseUnhealthy
from pipelines.messages.runs import Abort
from pipelines.ports import ENSURE_RELEASE, RETIRE_RELEASE, ROUTE
from tests.support.fakes import Gate, World, passes, raises, waits
from tests.support.rollout_play import Play, canary, spec


def sizes(play: Play) -> list[tuple[int, int]]:
    """Replicas of the old and the new release after each change."""
    now = {f"old-{play.world.service}": play.replicas, play.candidate.id: 0}
    seen = []
    for call in play.world.of(ENSURE_RELEASE):
        now[call.arg.release.id] = call.arg.replicas
        seen.append((now[f"old-{play.world.service}"], now[play.candidate.id]))
    return seen


@pytest.mark.parametrize(("surge", "unavailable"), [(1, 0), (0, 1), (2, 1)])
async def test_never_too_many_nor_too_few(world: World, surge: int, unavailable: int) -> None:
    play = await Play(world, spec("rolling", maxSurge=surge, maxUnavailable=unavailable), replicas=3).start()
    assert (await play.end()).status == "promoted"
    assert all(3 - unavailable <= old + new <= 3 + surge + unavailable for old, new in sizes(play))
    assert world.cluster.replicas == {play.candidate.id: 3}


async def test_replicas_wait_for_the_ones_before_to_be_ready(world: World) -> None:
    gate = Gate()
    play = Play(world, spec("rolling"), replicas=3)
    world.plan(ENSURE_RELEASE, play.candidate.id, waits(gate))
    await play.start()
    await world.until(lambda: gate.waiting == 1)
    assert world.cluster.replicas[f"old-{world.service}"] == 3
    assert world.count(ROUTE) == 0
    gate.open()
    assert (await play.end()).status == "promoted"


async def test_a_replica_in_the_middle_that_does_not_become_ready(world: World) -> None:
    play = Play(world, spec("rolling"), replicas=3)
    world.plan(ENSURE_RELEASE, play.candidate.id, passes, raises(ReleaseUnhealthy("crash loop")))
    await play.start()
    result = await play.end()
    assert (result.status, result.stable_id) == ("rolled-back", f"old-{world.service}")
    assert world.cluster.replicas == {f"old-{world.service}": 3}


async def test_the_deadline_in_the_middle(world: World) -> None:
    gate = Gate()
    play = Play(world, spec("rolling", deadline="700ms"), replicas=3)
    world.plan(ENSURE_RELEASE, play.candidate.id, passes, waits(gate))
    await play.start()
    result = await play.end()
    assert result.status == "rolled-back"
    assert "deadline of 0.7 s" in result.reason
    assert world.cluster.replicas == {f"old-{world.service}": 3}


async def test_stable_that_cannot_grow_again_does_not_keep_a_bad_candidate(world: World) -> None:
    """Its missing replica is told; all the traffic is on what is left of it."""
    play = Play(world, spec("rolling", scaleDownDelay="1h"), replicas=2)
    world.plan(ENSURE_RELEASE, f"old-{world.service}", passes, *[raises(ReleaseUnhealthy("no port"))] * 3)
    await play.start()
    await play.until(lambda view: view.move == "keep the old release for 3600 s")
    await play.ask(Abort(actor="ann"))
    assert (await play.end()).status == "aborted"
    assert world.order(RETIRE_RELEASE) == [play.candidate.id]
    assert "no port" in world.entry("rollout.hard").reason


async def test_a_rollback_goes_all_at_once(world: World) -> None:
    play = await Play(world, canary(), replicas=3).start(fast=True, kind="rollback")
    assert (await play.end()).status == "promoted"
    assert play.shares() == [100]
    assert world.deployments[0].rollback


async def test_a_first_release_skips_steps_and_pauses(world: World) -> None:
    play = await Play(world, canary(), with_stable=False).start()
    result = await play.end()
    assert (result.status, result.stable_id) == ("promoted", play.candidate.id)
    assert [call.arg.weights for call in world.of(ROUTE)] == [{play.candidate.id: 100}]
    assert world.count(RETIRE_RELEASE) == 0


async def test_a_first_release_that_does_not_start(world: World) -> None:
    play = Play(world, canary(), with_stable=False)
    world.plan(ENSURE_RELEASE, "*", raises(ReleaseUnhealthy("exit status 1")))
    await play.start()
    result = await play.end()
    assert (result.status, result.stable_id) == ("rolled-back", "")
    assert world.count(ROUTE) == 0
    assert world.order(RETIRE_RELEASE) == [play.candidate.id]


async def test_a_first_release_aborted_while_it_gets_its_traffic(world: World) -> None:
    """There is nothing to send the traffic to, so that nothing is routed any more."""
    gate = Gate()
    play = Play(world, canary(), with_stable=False)
    world.plan(ROUTE, f"{play.candidate.id}=100", waits(gate))
    await play.start()
    await world.until(lambda: gate.waiting == 1)
    await play.ask(Abort(actor="ann"))
    result = await play.end()
    assert (result.status, result.stable_id) == ("aborted", "")
    assert world.of(ROUTE)[-1].arg.weights == {}
    assert world.cluster.replicas == {}
