"""The worker's side of the zygote."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from activities.steps import launcher as launchers
from activities.steps.job import Ending, Job, read_json
from activities.steps.launcher import Launcher
from activities.steps.supervised import Supervised
from pipelines.errors import Unavailable
from tests.support.steps import alive, eventually


def _job(root: Path, name: str, script: str, **more: Any) -> Job:
    folder = root / name
    folder.mkdir()
    known: dict[str, Any] = {"env": {"PATH": os.environ["PATH"]}, "secrets": [], "timeout": 30.0, "timeout_text": "late"}
    place = {"folder": str(folder), "cwd": str(root), "log": str(root / f"{name}.log")}
    return Job(mark=name, argv=["sh", "-c", script], **place, **(known | more))


async def _ended(launcher: Launcher, job: Job) -> Ending:
    return await Supervised(Path(job.folder), launcher, lambda: None).wait()


async def test_one_zygote_serves_all(tmp_path: Path) -> None:
    launcher = Launcher()
    assert launcher._process is None, "none is started before it is needed"
    jobs = [_job(tmp_path, f"j{n}", f"exit {n}") for n in range(5)]
    assert await asyncio.gather(*map(launcher.launch, jobs)) == ["started"] * 5
    endings = await asyncio.gather(*[_ended(launcher, job) for job in jobs])
    assert [ending.exit_code for ending in endings] == [0, 1, 2, 3, 4]
    launcher.close()


async def test_a_job_may_be_large(tmp_path: Path) -> None:
    launcher = Launcher()
    job = _job(tmp_path, "j", 'echo "${#A}"', env={"PATH": os.environ["PATH"], "A": "x" * 120_000}, secrets=["s" * 20_000])
    await launcher.launch(job)
    assert (await _ended(launcher, job)).passed
    assert (tmp_path / "j.log").read_text().endswith(" 120000\n")
    launcher.close()


async def test_secrets_are_in_no_argument_and_not_in_the_zygotes_environment(tmp_path: Path) -> None:
    launcher = Launcher()
    env = {"PATH": os.environ["PATH"], "S": "hunter22"}
    job = _job(tmp_path, "j", "while [ ! -e go ]; do sleep 0.02; done", env=env, secrets=["hunter22"])
    await launcher.launch(job)
    assert launcher._process
    supervisor = int(Path(job.folder, "lock").read_text().split()[0])
    for pid in (launcher._process.pid, supervisor):
        for name in ("cmdline", "environ"):
            assert b"hunter22" not in Path(f"/proc/{pid}/{name}").read_bytes()
    (tmp_path / "go").touch()
    assert (await _ended(launcher, job)).passed
    launcher.close()


async def test_supervisors_survive_the_launcher(tmp_path: Path) -> None:
    launcher = Launcher()
    job = _job(tmp_path, "j", "while [ ! -e go ]; do sleep 0.02; done; exit 4")
    await launcher.launch(job)
    launcher.close()
    (tmp_path / "go").touch()
    await eventually(lambda: read_json(tmp_path / "j" / "result.json", Ending), "the result is there")
    assert (await _ended(Launcher(), job)).exit_code == 4


async def test_supervisors_leave_no_zombies(tmp_path: Path) -> None:
    launcher = Launcher()
    jobs = [_job(tmp_path, f"j{n}", "true") for n in range(5)]
    for job in jobs:
        await launcher.launch(job)
        await _ended(launcher, job)
    pids = [int(Path(job.folder, "lock").read_text().split()[0]) for job in jobs]
    await eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "all are collected")
    launcher.close()


async def test_ctrl_c_of_the_terminal_reaches_neither(tmp_path: Path) -> None:
    launcher = Launcher()
    job = _job(tmp_path, "j", "while [ ! -e go ]; do sleep 0.02; done")
    await launcher.launch(job)
    assert launcher._process
    supervisor = int(Path(job.folder, "lock").read_text().split()[0])
    assert os.getsid(launcher._process.pid) == launcher._process.pid
    assert os.getsid(supervisor) == supervisor
    (tmp_path / "go").touch()
    await _ended(launcher, job)
    launcher.close()


async def test_a_zygote_that_hangs_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = Launcher()
    await launcher.launch(_job(tmp_path, "a", "true"))
    assert launcher._process
    monkeypatch.setattr(launchers, "_PATIENCE", 0.2)
    launcher._process.send_signal(signal.SIGSTOP)
    with pytest.raises(Unavailable, match="does not answer"):
        await launcher.launch(_job(tmp_path, "b", "touch ran"))
    launcher._process.send_signal(signal.SIGCONT)
    launcher.close()


async def test_a_job_that_cannot_be_understood_is_an_outage(tmp_path: Path) -> None:
    launcher = Launcher()
    job = _job(tmp_path, "j", "true")
    (tmp_path / "j").rmdir()
    with pytest.raises(Unavailable, match="could not start"):
        await launcher.launch(job)
    launcher.close()


async def test_a_killed_zygote_ends_no_step(tmp_path: Path) -> None:
    launcher = Launcher()
    job = _job(tmp_path, "j", "while [ ! -e go ]; do sleep 0.02; done")
    await launcher.launch(job)
    assert launcher._process
    launcher._process.kill()
    await eventually(lambda: not alive(launcher._process.pid if launcher._process else 0), "the zygote is dead")
    other = _job(tmp_path, "k", "true")
    assert await launcher.launch(other) == "started"
    (tmp_path / "go").touch()
    assert (await _ended(launcher, job)).passed and (await _ended(launcher, other)).passed
    launcher.close()


async def test_a_step_costs_little(tmp_path: Path) -> None:
    """The goal is 15 ms above the bare process on a quiet machine; this bound only finds a step that starts an interpreter."""
    launcher = Launcher()
    times = []
    for number in range(12):
        job = _job(tmp_path, f"j{number}", "true")
        began = time.perf_counter()
        await launcher.launch(job)
        await _ended(launcher, job)
        times.append(time.perf_counter() - began)
    assert sorted(times)[3] < 0.1
    launcher.close()
