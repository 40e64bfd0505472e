"""The worker dies: a step is neither lost nor run twice. Side effects are counted in a file in the workspace."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from activities.steps.folder import StepFolder
from activities.steps.job import Job, try_lock
from activities.steps.launcher import Launcher
from activities.steps.supervised import Supervised
from pipelines.errors import HostLost, Unavailable
from pipelines.messages.common import Status
from tests.support.steps import Host, Victim, alive, eventually

ONCE = "echo ran >> effects; while [ ! -e go ]; do sleep 0.02; done; echo finished >> effects"


def _supervisor(host: Host) -> int:
    [lock] = host.layout.steps.glob("*/00/lock")
    return int(lock.read_text().split()[0])


async def test_killed_before_the_start(host: Host) -> None:
    step = host.input("echo ran >> effects")
    victim = Victim(host, step, "launch")
    await victim.paused()
    victim.kill()
    result = await host.steps.run_step(step)
    assert (result.status, result.reused) == (Status.passed, False)
    assert host.file("effects") == "ran\n"


async def test_killed_while_it_runs(host: Host) -> None:
    step = host.input(ONCE)
    victim = Victim(host, step)
    await host.until("effects", "ran")
    victim.kill()
    again = asyncio.ensure_future(host.steps.run_step(step))
    (host.workspace / "go").touch()
    result = await again
    assert (result.status, result.exit_code, result.reused) == (Status.passed, 0, False)
    assert host.file("effects") == "ran\nfinished\n"


async def test_killed_while_it_runs_and_it_ends_before_anybody_comes_back(host: Host) -> None:
    step = host.input(ONCE)
    victim = Victim(host, step)
    await host.until("effects", "ran")
    victim.kill()
    (host.workspace / "go").touch()
    await eventually(lambda: list(host.layout.steps.glob("*/00/result.json")), "the supervisor leaves a result")
    result = await host.steps.run_step(step)
    assert result.status == Status.passed
    assert host.file("effects") == "ran\nfinished\n"


@pytest.mark.parametrize(("command", "status"), [("true", Status.passed), ("exit 7", Status.failed)])
async def test_killed_between_exit_and_report(host: Host, command: str, status: Status) -> None:
    step = host.input(f"echo ran >> effects; {command}")
    victim = Victim(host, step, "report")
    await victim.paused()
    victim.kill()
    assert (await host.steps.run_step(step)).status == status
    assert host.file("effects") == "ran\n"


async def test_killed_between_exit_and_report_and_taken_up_by_another_execution(host: Host) -> None:
    step = host.input("echo ran >> effects")
    victim = Victim(host, step, "report")
    await victim.paused()
    victim.kill()
    result = await host.steps.run_step(step.model_copy(update={"execution": "e2"}))
    assert result.status == Status.passed
    assert host.file("effects") == "ran\n"


async def test_a_failure_that_nobody_saw_is_tried_again_by_another_execution(host: Host) -> None:
    step = host.input("echo ran >> effects; exit 7")
    victim = Victim(host, step, "report")
    await victim.paused()
    victim.kill()
    result = await host.steps.run_step(step.model_copy(update={"execution": "e2"}))
    assert result.status == Status.failed
    assert host.file("effects") == "ran\nran\n"


async def test_the_supervisor_outlives_worker_and_zygote(host: Host) -> None:
    step = host.input(ONCE)
    victim = Victim(host, step)
    await host.until("effects", "ran")
    supervisor = _supervisor(host)
    victim.kill()
    parent = Path(f"/proc/{supervisor}/stat")
    await eventually(lambda: parent.read_text().rpartition(")")[2].split()[1] == "1", "the zygote has ended")
    assert alive(supervisor)
    (host.workspace / "go").touch()
    assert (await host.steps.run_step(step)).status == Status.passed


async def test_workers_that_start_it_at_the_same_time(host: Host) -> None:
    step = host.input("echo ran >> effects; sleep 0.3")
    others = [Victim(host, step) for _ in range(2)]
    results = await asyncio.gather(*[host.steps.run_step(step) for _ in range(4)])
    for other in others:
        assert other.process.wait(30) == 0
    assert host.file("effects") == "ran\n"
    assert {result.status for result in results} == {Status.passed}


async def test_two_supervisors_never_run_the_same(host: Host) -> None:
    """Below the activity's own lock: the supervisors' decides."""
    launchers = [Launcher(), Launcher(), Launcher()]
    folder = host.root / "command"
    folder.mkdir()
    job = Job(
        folder=str(folder),
        mark="m",
        argv=["sh", "-c", "echo ran >> effects; sleep 0.3"],
        env={"PATH": os.environ["PATH"]},
        cwd=str(host.workspace),
        log=str(host.root / "log"),
        secrets=[],
        timeout=10,
        timeout_text="",
    )
    answers = await asyncio.gather(*[launcher.launch(job) for launcher in launchers])
    assert sorted(answers) == ["started", "taken", "taken"]
    ending = await Supervised(folder, launchers[0], lambda: None).wait()
    assert ending.passed
    assert await launchers[1].launch(job) == "finished"
    assert host.file("effects") == "ran\n"
    for launcher in launchers:
        launcher.close()


async def test_a_killed_supervisor_leaves_nothing_and_the_step_is_run_again(host: Host) -> None:
    step = host.input("echo $$ >> pids; if [ ! -e go ]; then setsid sleep 300 & echo $! >> pids; sleep 300; fi")
    running = asyncio.ensure_future(host.steps.run_step(step))
    await eventually(lambda: len(host.file("pids").split()) == 2, "shell and child run")
    os.kill(_supervisor(host), signal.SIGKILL)
    with pytest.raises(Unavailable, match="supervisor was lost"):
        await running
    (host.workspace / "go").touch()
    result = await host.steps.run_step(step)
    assert result.status == Status.passed
    assert "[switchyard] the process was lost with its supervisor or host: it is run again" in host.log(result)
    shell, child, again = map(int, host.file("pids").split())
    assert not alive(shell) and not alive(child) and again != shell


async def test_a_host_that_shuts_down_leaves_no_result(host: Host) -> None:
    """SIGTERM to everything is no answer of the step's."""
    step = host.input("echo ran >> effects; [ -e go ] || sleep 300")
    running = asyncio.ensure_future(host.steps.run_step(step))
    await host.until("effects", "ran")
    os.kill(_supervisor(host), signal.SIGTERM)
    with pytest.raises(Unavailable):
        await running
    (host.workspace / "go").touch()
    assert (await host.steps.run_step(step)).status == Status.passed
    assert host.file("effects") == "ran\nran\n"


async def test_a_passed_step_is_never_run_again(host: Host) -> None:
    first = await host.run("echo ran >> effects")
    same = await host.run("echo ran >> effects")
    other = await host.run("echo ran >> effects", execution="e2", attempt=3)
    assert same == first
    assert other == first.model_copy(update={"reused": True, "attempt": 3})
    assert host.file("effects") == "ran\n"


async def test_a_failed_step_is_run_again_for_another_call_only(host: Host) -> None:
    script = "echo ran | tee -a effects; exit 1"
    first = await host.run(script)
    assert await host.run(script) == first
    assert host.file("effects") == "ran\n"
    second = await host.run(script, attempt=2, name="Try")
    assert (second.attempt, second.reused) == (2, False)
    await host.run(script, execution="e2", name="Try")
    assert host.file("effects") == "ran\n" * 3
    assert host.log(second) == "ran\n[switchyard] Try: attempt 2\nran\n[switchyard] Try: attempt 1\nran"


async def test_a_workspace_made_anew_lacks_what_the_step_left(host: Host) -> None:
    await host.run("echo ran > built")
    (host.workspace / "built").unlink()
    host.workspace.rmdir()
    host.workspace.mkdir()
    result = await host.run("echo ran > built")
    assert not result.reused
    assert host.file("built") == "ran\n"


async def test_a_second_activity_waits_for_the_first(host: Host) -> None:
    """As after a heartbeat timeout: the first one lives on for a while, and lets go when it is cancelled."""
    step = host.input(ONCE)
    first = asyncio.ensure_future(host.steps.run_step(step))
    await host.until("effects", "ran")
    second = asyncio.ensure_future(host.steps.run_step(step))
    [lock] = host.layout.steps.glob("*/driver.lock")
    assert try_lock(lock) is None
    (host.workspace / "go").touch()
    assert await first == await second
    assert host.file("effects") == "ran\nfinished\n"


async def test_a_step_that_was_handed_over_is_attached_to(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hand_over() -> str:
        return "hand-over"

    monkeypatch.setattr("activities.build.why_cancelled", hand_over)
    step = host.input(ONCE)
    first = asyncio.ensure_future(host.steps.run_step(step))
    await host.until("effects", "ran")
    first.cancel()
    with pytest.raises(HostLost, match="taken over"):
        await first
    second = asyncio.ensure_future(host.steps.run_step(step))
    (host.workspace / "go").touch()
    assert (await second).status == Status.passed
    assert host.file("effects") == "ran\nfinished\n"


async def test_the_time_in_which_a_host_was_away_does_not_count(host: Host) -> None:
    step = host.input("echo ran >> effects; [ -e go ] || sleep 300", timeout=5)
    running = asyncio.ensure_future(host.steps.run_step(step))
    await host.until("effects", "ran")
    os.kill(_supervisor(host), signal.SIGKILL)
    with pytest.raises(Unavailable):
        await running
    folder = StepFolder(host.layout, step)
    record = folder.read()
    assert record is not None
    folder.write(record.model_copy(update={"started_at": record.started_at - 3600}))
    (host.workspace / "go").touch()
    assert (await host.steps.run_step(step)).status == Status.passed


async def test_a_lock_on_a_file_that_is_gone_is_none(host: Host) -> None:
    """A supervisor that was slow to start must not run beside the one that took its place."""
    path = host.root / "lock"
    first = try_lock(path)
    assert first is not None
    path.unlink()
    second = try_lock(path)
    assert second is not None, "a new file, a new lock"
    os.close(first)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("activities.steps.job.fcntl.flock", lambda *_: path.unlink())
        assert try_lock(path) is None
    os.close(second)


async def test_a_worker_that_shuts_down_while_it_waits_for_its_turn(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hand_over() -> str:
        return "hand-over"

    monkeypatch.setattr("activities.build.why_cancelled", hand_over)
    folder = StepFolder(host.layout, host.input())
    async with folder.held(lambda: None):
        waiting = asyncio.ensure_future(host.run())
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(HostLost):
            await waiting
    assert (await host.run()).status == Status.passed
