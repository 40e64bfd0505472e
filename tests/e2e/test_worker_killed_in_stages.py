"""SIGKILL of the worker in every part of a run: it goes on where it was, and nothing that had finished is done again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pipelines.messages.runs import RunView
from tests.support.killing import killer
from tests.support.live_stack import until
from tests.support.moments import moment, told
from tests.support.shop import ENVIRONMENT, Shop
from tests.support.trail import actions, assert_told, assert_whole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.component("temporal")]

MOMENTS = [
    moment("scheduled source.resolve"),
    moment("scheduled stage.open: workspace for compile"),
    moment("scheduled stage.seal: collect what compile left"),
    moment("scheduled quality.gate"),
    moment("timer: approval of deploy"),
    moment("scheduled deploy.prepare"),
    moment("scheduled environment.request"),
    moment("timer: rollout rollout/"),
    moment("child DeliveryWorkflow.*/finished"),
]


def stages(shop: Shop) -> dict[str, Any]:
    """Each part of a stage at least once; the artifact is big enough to be killed in its making."""
    latch = shop.stack.outside / f"{shop.name}.go"
    basic = shop.stages({"strategy": "rolling", "scaleDownDelay": 0})
    wait = f"until [ -e {latch} ]; do sleep 0.05; done"
    compile_ = {
        "steps": [
            {"name": "first", "run": shop.note("first")},
            {"name": "long", "run": f"{shop.note('long-begins')}; {wait}; {shop.note('long-ends')}"},
            {"name": "last", "run": f"head -c 20000000 /dev/urandom > bulk; {shop.note('last')}"},
        ],
        "artifacts": [{"name": "app", "paths": ["service.py", "traits.json", "bulk"]}],
    }
    return {
        "compile": compile_,
        "check": {
            "needs": ["compile"],
            "steps": [{"name": "look", "run": f"test -e bulk; {shop.note('look')}"}],
            "gate": {"min_coverage": None, "max_failed_tests": None, "max_findings": {}},
        },
        "deploy": {**basic["deploy"], "needs": ["check"], "approval": {"timeout": "5m"}},
        "after": {"needs": ["deploy"], "steps": [{"name": "tell", "run": shop.note("tell")}]},
    }


def test_a_run_survives_a_kill_in_each_of_its_parts(shop: Shop) -> None:
    stack = shop.stack
    with killer(stack) as deadly:
        deadly.strike()
        shop.commit(stages(shop))
        run_id = shop.start()
        for each in MOMENTS[:2]:
            deadly.at(run_id, each)
        kill_while_the_step_runs(shop, deadly)
        for each in MOMENTS[2:5]:
            deadly.at(run_id, each)
        deadly.revived()
        stack.cli("approve", run_id, "--reason", "it is time")
        for each in MOMENTS[5:]:
            deadly.at(run_id, each)
    view = stack.result(run_id)
    assert view.status == "passed", (view, told(stack, run_id))
    assert len(deadly.killed) == len(MOMENTS)
    nothing_was_repeated(shop, view)
    nothing_was_forgotten(shop, run_id)


def kill_while_the_step_runs(shop: Shop, deadly: Any) -> None:
    """Once while it runs on, and once more while it ends with nobody there to see it."""
    began = f"{shop.name}"
    deadly.revive()
    until(lambda: any("long-begins" in line for line in shop.stack.lines(began)), "the long step runs", 60)
    deadly.strike()
    deadly.revived()
    deadly.strike()
    (shop.stack.outside / f"{shop.name}.go").touch()
    until(lambda: any("long-ends" in line for line in shop.stack.lines(began)), "the long step has ended")


def nothing_was_repeated(shop: Shop, view: RunView) -> None:
    words = Counter(line.split()[0] for line in shop.stack.lines(shop.name))
    assert words == dict.fromkeys(("first", "long-begins", "long-ends", "last", "look", "tell"), 1)
    assert [step.attempt for stage in view.stages for step in stage.steps] == [1] * 5
    assert all(not step.reused for stage in view.stages for step in stage.steps)


def nothing_was_forgotten(shop: Shop, run_id: str) -> None:
    once = ("run.started", "gate.passed", "approval.given", "run.finished")
    assert actions(shop.stack, run_id) == dict.fromkeys(once, 1)
    rollout = ("rollout.started", "rollout.promoted", "rollout.ended")
    assert actions(shop.stack, f"{ENVIRONMENT}/{shop.name}") == dict.fromkeys(rollout, 1)
    assert_told(shop.stack, run_id, "deploy waits for approval", "passed")
    assert_whole(shop.stack)
