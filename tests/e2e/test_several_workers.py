"""Several workers for one stack: each with a part of the queues, or two with all of them, one of which is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import worker
from tests.support.live_stack import LiveStack, until
from tests.support.moments import told
from tests.support.shop import Shop
from tests.support.trail import actions, assert_whole

pytestmark = [pytest.mark.e2e, pytest.mark.component("temporal")]

ROLLING = {"strategy": "rolling", "scaleDownDelay": 0}
CHECKING = "build,quality,security,tests"
DELIVERING = "deploy,artifacts,notify"


@contextmanager
def a_worker(stack: LiveStack, queues: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """`python worker.py --queues …`, ended at the end of the block."""
    command = [sys.executable, str(Path(worker.__file__)), *(["--queues", queues] if queues else [])]
    with (stack.root / "workers.log").open("ab") as log:
        process = subprocess.Popen(command, env=stack.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def alone(shop: Shop) -> Iterator[Shop]:
    """The stack without its own worker."""
    shop.stack.cli("down", "--only", "worker")
    yield shop
    shop.stack.up("worker")


def test_two_workers_share_the_queues(alone: Shop) -> None:
    """The run waits where nobody serves the queue, and goes on when somebody does."""
    stack, stages = alone.stack, alone.stages(ROLLING)
    stages["build"]["steps"].append({"name": "last", "run": alone.note("last")})
    alone.commit(stages)
    with ExitStack() as workers:
        workers.enter_context(a_worker(stack, CHECKING))
        run_id = alone.start()
        asked = "scheduled environment.request|scheduled deploy.prepare"
        until(lambda: any(asked.split("|")[1] in words for words in told(stack, run_id)), "the release is asked for", 60)
        view = stack.run_view(run_id)
        assert [stage.status for stage in view.stages] == ["passed", "running"]
        assert actions(stack, run_id) == {}, "nobody serves 'notify' yet"
        workers.enter_context(a_worker(stack, DELIVERING))
        assert stack.result(run_id).status == "passed", told(stack, run_id)
        assert actions(stack, run_id) == {"run.started": 1, "run.finished": 1}
    assert [line.split()[0] for line in alone.stack.lines(alone.name)] == ["build", "last"]


def test_the_other_worker_of_the_host_takes_over(alone: Shop) -> None:
    """Both serve the queue of the host; the one that holds the step is killed, and nothing of it is repeated."""
    stack, latch = alone.stack, alone.stack.outside / f"{alone.name}.go"
    stages = alone.stages(ROLLING)
    long = f"{alone.note('begins')}; until [ -e {latch} ]; do sleep 0.05; done; {alone.note('ends')}"
    stages["build"]["steps"] = [{"name": "long", "run": long}]
    alone.commit(stages)
    with a_worker(stack) as first, ExitStack() as workers:
        run_id = alone.start()
        until(lambda: stack.lines(alone.name), "the step runs", 60)
        second = workers.enter_context(a_worker(stack))
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        latch.touch()
        view = stack.result(run_id)
        assert view.status == "passed", told(stack, run_id)
        assert second.poll() is None
    assert Counter(line.split()[0] for line in stack.lines(alone.name)) == {"begins": 1, "ends": 1}
    assert actions(stack, run_id) == {"run.started": 1, "run.finished": 1}
    assert_whole(stack)


def test_an_unknown_queue_is_refused_with_the_known_ones(stack: LiveStack) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(worker.__file__)), "--queues", "build,paint"],
        env=stack.env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "unknown queue paint; there are build, quality, security, tests, deploy, artifacts, notify" in done.stderr
    assert "Traceback" not in done.stderr
