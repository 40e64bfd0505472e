"""SIGTERM of the worker: what is in flight gets its time, and what is not done by then is handed over to the next one."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import Any

import pytest

from tests.support.live_stack import LiveStack, until
from tests.support.moments import moment, told, waiting_for
from tests.support.released import serving
from tests.support.shop import Shop
from tests.support.trail import assert_whole

pytestmark = [pytest.mark.e2e, pytest.mark.component("temporal")]

GRACE = 2.0
ENV = {"SWITCHYARD_WORKER__GRACEFUL_SHUTDOWN": str(GRACE)}
CANARY: dict[str, Any] = {"strategy": "canary", "scaleDownDelay": 0, "steps": [{"setWeight": 50}, {"pause": {}}]}


def end_worker(stack: LiveStack) -> float:
    """SIGTERM; gives the seconds that it took to end."""
    began = time.monotonic()
    stack.kill("worker", signal.SIGTERM)
    return time.monotonic() - began


def until_latch(shop: Shop, name: str) -> str:
    """A command that notes its begin and its end, and waits for a file in between."""
    latch = shop.stack.outside / f"{shop.name}.{name}"
    return f"{shop.note(f'{name}-begins')}; until [ -e {latch} ]; do sleep 0.05; done; {shop.note(f'{name}-ends')}"


def open_latch(shop: Shop, name: str) -> None:
    (shop.stack.outside / f"{shop.name}.{name}").touch()


def has_begun(shop: Shop, name: str) -> bool:
    return any(line.startswith(f"{name}-begins") for line in shop.stack.lines(shop.name))


def test_a_step_that_ends_in_time_ends_with_its_worker(shop: Shop) -> None:
    shop.commit({"work": {"steps": [{"name": "short", "run": until_latch(shop, "short")}]}})
    run_id = shop.start()
    until(lambda: has_begun(shop, "short"), "the step runs")
    os.kill(shop.stack.pid("worker"), signal.SIGTERM)
    open_latch(shop, "short")
    until(lambda: shop.stack.record("worker") is None, "the worker has ended", GRACE + 10)
    assert any("completed step.run" in words for words in told(shop.stack, run_id))
    shop.stack.up("worker")
    assert shop.stack.result(run_id).status == "passed"


def test_a_step_that_needs_longer_is_taken_over(shop: Shop) -> None:
    shop.commit({"work": {"steps": [{"name": "long", "run": until_latch(shop, "long")}]}})
    run_id = shop.start()
    until(lambda: has_begun(shop, "long"), "the step runs")
    assert end_worker(shop.stack) < GRACE + 8
    shop.stack.up("worker")
    open_latch(shop, "long")
    view = shop.stack.result(run_id)
    assert view.status == "passed", told(shop.stack, run_id)
    words = Counter(line.split()[0] for line in shop.stack.lines(shop.name))
    assert words == {"long-begins": 1, "long-ends": 1}


def test_a_release_and_its_checks_are_taken_over(shop: Shop) -> None:
    """The worker is ended while the release starts, and again while a check of the stage runs."""
    stages = shop.stages({"strategy": "rolling", "scaleDownDelay": 0})
    stages["deploy"]["checks"] = [{"name": "slow", "path": None, "run": until_latch(shop, "check"), "timeout": "60s"}]
    rollout = shop.next_rollout
    shop.commit(stages, latch=str(shop.stack.outside / f"{shop.name}.ready"))
    starting = waiting_for(shop.stack, rollout, moment("scheduled deploy.ensure"))
    run_id = shop.start()
    starting.result(30)
    end_worker(shop.stack)
    shop.stack.up("worker")
    open_latch(shop, "ready")
    until(lambda: has_begun(shop, "check"), "the check runs", 30)
    end_worker(shop.stack)
    open_latch(shop, "check")
    shop.stack.up("worker")
    view = shop.stack.result(run_id)
    assert view.status == "passed", told(shop.stack, run_id)
    assert_whole(shop.stack)


def test_a_rollout_is_watched_on_by_the_next_worker(shop: Shop) -> None:
    """Watching ends with the worker at once, since nobody has to wait for it; a candidate that dies later is still noticed."""
    with serving(shop, replicas=1) as release:
        rollout = shop.next_rollout
        paused = waiting_for(shop.stack, rollout, moment("timer: approval"))
        release.begin(CANARY, 1)
        paused.result(30)
        assert end_worker(shop.stack) < GRACE + 8
        shop.stack.up("worker")
        [victim] = shop.replicas(shop.stack.rollout_view(rollout).candidate.id)
        os.kill(victim.pid, signal.SIGKILL)
        view = release.ended("rolled-back", replicas=1)
    assert "the candidate broke" in view.reason
