"""Small parts: durations, folders, processes, why an activity was cancelled."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.testing import ActivityEnvironment

from activities.steps import folder as folders
from activities.steps.cancellation import why_cancelled
from activities.steps.environment import human, rlimits, shell
from activities.steps.folder import StepFolder, identity
from activities.steps.job import try_lock
from activities.steps.processes import descendants, marked, send, start_time
from activities.steps.supervised import Supervised
from pipelines.errors import Busy
from pipelines.spec.step import Limits
from tests.support.steps import Host, alive, eventually


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "500ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (60, "1m"),
        (90, "1m30s"),
        (600, "10m"),
        (5400, "1h30m"),
        (86400, "1d"),
        (90.4, "1m30s"),
    ],
)
def test_durations_read_as_in_the_spec(seconds: float, text: str) -> None:
    assert human(seconds) == text


def test_shells() -> None:
    assert shell("bash", "x") == ("bash", "-euo", "pipefail", "-c", "x")
    assert shell("sh", "x") == ("sh", "-eu", "-c", "x")


def test_limits_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rlimits(Limits()) == {}
    assert rlimits(Limits(memory_mb=16, cpu_seconds=5, open_files=99)) == {
        "RLIMIT_AS": 16 << 20,
        "RLIMIT_CPU": 5,
        "RLIMIT_NOFILE": 99,
    }
    owner = Path("/proc/self").stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner or 1)
    assert rlimits(Limits(processes=7))["RLIMIT_NPROC"] >= 7


def test_a_folder_has_one_name_for_its_life(tmp_path: Path) -> None:
    first = tmp_path / "w"
    first.mkdir()
    name = identity(first)
    assert identity(first) == name
    first.rename(tmp_path / "moved")
    first.mkdir()
    assert identity(first) != name


def test_without_extended_attributes_the_inode_is_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: Any) -> None:
        raise OSError(95, "not supported")

    monkeypatch.setattr(folders.os, "getxattr", unsupported)
    monkeypatch.setattr(folders.os, "setxattr", unsupported)
    assert identity(tmp_path) == identity(tmp_path) != identity(tmp_path.parent)


def test_tidying_removes_what_was_made_read_only(host: Host) -> None:
    step = host.input()
    folder = StepFolder(host.layout, step)
    folder.path.mkdir(parents=True)
    folder.begin(step)
    locked = folder.private / "home" / "a" / "b"
    locked.mkdir(parents=True)
    (locked / "file").touch()
    locked.chmod(0o500)
    folder.tidy()
    assert not folder.private.exists()
    folder.tidy()


async def test_processes_are_found_and_ended() -> None:
    script = "import subprocess, time; subprocess.Popen(['sleep', '60'], env={}); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], env={"A_MARK": "here"}, stdout=subprocess.PIPE) as process:  # noqa: ASYNC220
        assert process.stdout
        process.stdout.readline()
        found = marked("A_MARK=here")
        below = descendants(process.pid)
        assert len(below) == 1 and set(found) >= {process.pid, *below}, "its children too, although they lost the mark"
        assert marked("A_MARK=her") == []
        send(found, 9)
        process.wait()
    await eventually(lambda: not alive(below[0]), "the child is dead")
    send([process.pid], 9)


def test_a_start_time_names_a_process() -> None:
    assert start_time(os.getpid()) == start_time(os.getpid()) is not None
    assert start_time(2**22 + 1) is None


async def test_a_lock_whose_holder_cannot_be_seen(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    command = host.root / "command"
    command.mkdir()
    lock = try_lock(command / "lock")
    assert lock is not None
    (command / "lock").write_text(f"{os.getpid()} 1\n")
    with pytest.raises(Busy, match="cannot be seen"):
        await Supervised(command, host.steps._launcher, lambda: None).wait()
    os.close(lock)


async def _why(details: ActivityCancellationDetails) -> str:
    """As the SDK has it: the details are set, then the task is cancelled."""
    environment = ActivityEnvironment()
    waiting = asyncio.Event()
    said = []

    async def activity() -> None:
        waiting.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            said.append(await why_cancelled())

    running = asyncio.ensure_future(environment.run(activity))
    await waiting.wait()
    environment.cancel(details)
    await running
    return said[0]


@pytest.mark.parametrize(
    ("details", "why"),
    [
        (ActivityCancellationDetails(cancel_requested=True), "abort"),
        (ActivityCancellationDetails(cancel_requested=True, worker_shutdown=True), "abort"),
        (ActivityCancellationDetails(worker_shutdown=True), "hand-over"),
        (ActivityCancellationDetails(worker_shutdown=True, not_found=True), "hand-over"),
        (ActivityCancellationDetails(timed_out=True), "hand-over"),
        (ActivityCancellationDetails(paused=True), "pause"),
        (ActivityCancellationDetails(reset=True), "pause"),
    ],
)
async def test_only_who_wants_an_end_gets_one(details: ActivityCancellationDetails, why: str) -> None:
    assert await _why(details) == why


async def test_outside_of_temporal_a_cancellation_is_an_abort() -> None:
    assert await why_cancelled() == "abort"
