"""Canary: steps of weight and pause, and what is told on the way."""

from __future__ import annotations

from pipelines.messages.runs import Approve, Promote
from pipelines.ports import ENSURE_RELEASE, RETIRE_RELEASE
from tests.support.fakes import World
from tests.support.rollout_play import Play, canary


async def test_traffic_rises_in_steps_and_the_old_release_goes(world: World) -> None:
    play = await Play(world, canary({"setWeight": 10}, {"setWeight": 50}), replicas=4).start()
    result = await play.end()
    assert (result.status, result.stable_id) == ("promoted", play.candidate.id)
    assert play.shares() == [10, 50, 100]
    assert [call.arg.replicas for call in world.of(ENSURE_RELEASE, play.candidate.id)] == [1, 2, 4]
    assert world.order(RETIRE_RELEASE) == [f"old-{world.service}"]


async def test_replicas_are_there_before_the_traffic(world: World) -> None:
    play = await Play(world, canary({"setWeight": 50}), replicas=4).start()
    await play.end()
    moves = [(call.port.name, call.key) for call in world.calls if call.port.name in ("deploy.ensure", "traffic.route")]
    assert [name for name, _ in moves] == ["deploy.ensure", "traffic.route", "deploy.ensure", "traffic.route"]


async def test_a_pause_of_a_duration_ends_by_itself(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, {"pause": {"duration": "300ms"}})).start()
    await play.end()
    points = (await play.view()).weights
    assert points[1].at - points[0].at >= 0.3


async def test_a_pause_without_a_duration_waits_for_approval(world: World) -> None:
    play = await Play(world).start()
    view = await play.until_asked(20)
    assert (view.status, view.waiting_for, view.move) == ("paused", "approval", "wait for approval")
    assert view.plan[1] == "bring the candidate to 2 replicas"
    assert await play.ask(Approve(actor="ann", reason="looks well")) == "approved; next: bring the candidate to 2 replicas"
    assert (await play.end()).status == "promoted"
    assert play.shares() == [20, 60, 100]
    entry = await world.audited("rollout.approved")
    assert (entry.actor, entry.reason, entry.evidence["weight"]) == ("ann", "looks well", "20")


async def test_people_are_told_that_they_are_waited_for(world: World) -> None:
    play = await Play(world).start()
    await play.until_asked(20)
    await world.until(lambda: bool(world.told))
    assert world.told[0].title == f"{play.place.key}: the rollout waits for people"
    assert f"switchyard approve {play.handle.id}" in world.told[0].text
    await play.ask(Approve(actor="ann"))
    await play.end()


async def test_promoting_ends_one_pause(world: World) -> None:
    play = await Play(world, canary({"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": "1h"}})).start()
    await play.until_asked(20)
    assert await play.ask(Promote(actor="ann")) == "pause skipped; next: bring the candidate to 2 replicas"
    await play.until(lambda view: view.move == "wait 3600 s")
    assert await play.ask(Promote(actor="ann")) == "pause skipped; next: send 100 % of the traffic to the candidate"
    assert (await play.end()).status == "promoted"


async def test_what_is_recorded_and_published(world: World) -> None:
    play = await Play(world, canary({"setWeight": 50})).start(reason="Sell shoes", actor="bob")
    await play.end()
    await world.until(lambda: len(world.events) == 2 and bool(world.told))
    assert world.actions() == ["rollout.started", "rollout.promoted", "rollout.ended"]
    assert world.entry("rollout.started").reason == "Sell shoes"
    assert [event.type for event in world.events] == ["DeploymentStartedEvent", "DeploymentCompletedEvent"]
    assert (world.told[-1].level, world.told[-1].title) == ("success", f"{play.place.key}: {play.candidate.id} promoted")
    [record] = world.deployments
    assert (record.status, record.previous, record.rollback) == ("promoted", f"old-{world.service}", False)
    assert record.finished_at is not None
