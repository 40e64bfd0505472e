"""An aborted step is gone at once, with everything it has started."""

import asyncio
import time
from pathlib import Path

import pytest

from pipelines.messages.common import Status
from tests.support.steps import Host, alive, eventually


async def _aborted(host: Host, script: str, pids: int) -> tuple[list[int], float]:
    """The pids that the script wrote, and how long the abort took."""
    running = asyncio.ensure_future(host.run(script))
    await eventually(lambda: len(host.file("pids").split()) == pids, "all processes run")
    began = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return list(map(int, host.file("pids").split())), time.monotonic() - began


async def test_children_and_those_with_a_session_of_their_own_are_asked_to_end(tmp_path: Path) -> None:
    """Within the grace, so by SIGTERM: each has its chance to clean up."""
    host = Host(tmp_path, grace=20.0)
    script = """echo $$ >> pids
    sleep 300 & echo $! >> pids
    setsid bash -c 'echo $$ >> pids; sleep 300 & echo $! >> pids; wait' &
    (setsid bash -c 'echo $$ >> pids; exec sleep 300' &)
    wait"""
    pids, seconds = await _aborted(host, script, 5)
    assert [pid for pid in pids if alive(pid)] == []
    assert seconds < 20.0, "they were killed after the grace"
    host.steps.close()


async def test_those_that_do_not_want_to_end_are_killed_after_the_grace(host: Host) -> None:
    script = """trap '' TERM
    echo $$ >> pids
    setsid bash -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.05; done' &
    while :; do sleep 0.05; done"""
    pids, seconds = await _aborted(host, script, 2)
    assert [pid for pid in pids if alive(pid)] == []
    assert seconds > 0.25


async def test_a_stopped_process_ends_too(host: Host) -> None:
    pids, _ = await _aborted(host, "echo $$ >> pids; kill -STOP $$; sleep 300", 1)
    assert not alive(pids[0])


async def test_a_process_may_clean_up(host: Host) -> None:
    pids, _ = await _aborted(host, "trap 'echo cleaned > clean; exit 0' TERM; echo $$ >> pids; while :; do sleep 0.02; done", 1)
    assert host.file("clean") == "cleaned\n"
    assert not alive(pids[0])


async def test_the_result_says_cancelled(host: Host) -> None:
    script = "echo $$ >> pids; sleep 300"
    await _aborted(host, script, 1)
    result = await host.run(script)
    assert (result.status, result.message) == (Status.cancelled, "cancelled")
    assert len(host.file("pids").split()) == 1


async def test_another_attempt_starts_anew(host: Host) -> None:
    script = "echo $$ >> pids; [ -e go ] || sleep 300"
    await _aborted(host, script, 1)
    (host.workspace / "go").touch()
    assert (await host.run(script, execution="e2")).status == Status.passed
    assert len(host.file("pids").split()) == 2


async def test_aborted_while_it_is_being_started(host: Host) -> None:
    """At any moment: afterwards either nothing has been started, or all of it is gone."""
    for number in range(12):
        running = asyncio.ensure_future(host.run("echo $$ >> pids; sleep 300", key=f"k{number}"))
        await asyncio.sleep(number * 0.002)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert [pid for pid in map(int, host.file("pids").split()) if alive(pid)] == []


async def test_nothing_of_it_stays_on_disk(host: Host) -> None:
    await _aborted(host, "echo $$ >> pids; echo secret > $TMPDIR/x; sleep 300", 1)
    assert list((host.layout.root / "private").iterdir()) == []
