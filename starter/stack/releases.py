"""Ending the released services of the local target, which outlive the stack on purpose."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from pipelines.settings import Settings
from starter.stack.processes import wait
from starter.stack.stack import PartState, Tell

PATIENCE = 10.0


def end_releases(settings: Settings, tell: Tell = lambda text: None) -> list[PartState]:
    """SIGTERM to every process of ours that works in the releases' folder, SIGKILL to what is left after 10 seconds."""
    found = list(_processes(settings.layout.releases.resolve()))
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    wait(lambda: not any(_alive(process) for process in found), PATIENCE)
    killed = [process for process in found if _alive(process)]
    for process in killed:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    tell(f"released services: {len(found)} processes ended" if found else "released services: none were running")
    return [PartState(name="release", state="killed" if each in killed else "stopped", pid=each.pid) for each in found]


def _processes(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            mine = process.uids().real == os.getuid() and process.pid != os.getpid()
            if mine and _works_in(process, folder):
                yield process
        except psutil.Error:
            continue


def _works_in(process: psutil.Process, folder: Path) -> bool:
    """By working directory, or by an argument: whoever watches over a replica need not stand in its folder."""
    if Path(process.cwd()).is_relative_to(folder):
        return True
    return any(argument.startswith(f"{folder}/") for argument in process.cmdline())


def _alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
