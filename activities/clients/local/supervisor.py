"""Keeps the replicas of one release alive, whatever happens to the worker. Standard library only.

It follows spec.json: SIGUSR1 tells it to read it again. SIGTERM makes it stop its replicas and end. When it is killed, its
replicas go on; the next supervisor finds them by the records that they wrote themselves, and takes them over. One lock, held from
its start to its end, makes sure that there is only one.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path

from activities.clients.local import state
from activities.clients.local.identity import own
from activities.clients.local.replica import Replica
from activities.clients.local.state import Spec, Status
from activities.steps.processes import adopt_orphans

_PATIENCE = 3.0
"""Seconds to wait for the lock: a replica of the supervisor before may hold it for an instant."""
_ADOPTED_LOOK = 0.2
"""Seconds between looks at replicas that are nobody's child here."""
_LONGEST_SLEEP = 5.0
"""Seconds after which logs are looked at."""
_KILL_EVERY = 0.1


class Supervisor:
    """`run` returns when no replica is wanted any more, or the release's folder is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._closing = False
        self._replicas: dict[str, Replica] = {}
        self._told: Status | None = None
        self._wake, poke = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(poke, warn_on_full_buffer=False)
        for number in (signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, lambda number, frame: None)
        signal.signal(signal.SIGTERM, lambda number, frame: self._close())

    def run(self) -> None:
        adopt_orphans()
        before = state.read_status(self._folder)
        while (spec := state.read_spec(self._folder)) is not None:
            self._follow(spec, before)
            self._reap()
            for replica in list(self._replicas.values()):
                replica.step(spec)
            if self._tell(spec):
                return
            self._trim(spec)
            self._sleep(spec)
        for replica in self._replicas.values():
            replica.ended("", crash=False)

    def _close(self) -> None:
        self._closing = True

    def _follow(self, spec: Spec, before: Status | None) -> None:
        wanted = {} if self._closing else {each["name"]: each for each in spec["replicas"]}
        known = before["replicas"] if before else {}
        recorded = [path.stem for path in self._folder.glob("replicas/*.json")]
        for name in sorted({*wanted, *recorded}):
            if name not in self._replicas:
                given = wanted.get(name) or state.ReplicaSpec(name=name, port=0, settled=False)
                self._replicas[name] = Replica(self._folder, given, known.get(name))
        for name, replica in self._replicas.items():
            replica.wanted = wanted.get(name)
        self._replicas = {name: replica for name, replica in self._replicas.items() if not replica.gone}

    def _reap(self) -> None:
        """Collect who has ended: replicas, and orphans that they left behind."""
        by_pid = {replica.pid: replica for replica in self._replicas.values() if replica.pid is not None}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in by_pid:
                by_pid[pid].ended(_how(os.waitstatus_to_exitcode(status)))

    def _tell(self, spec: Spec) -> bool:
        """Write what runs if that has changed. True when it is all over."""
        replicas = {name: replica.state() for name, replica in self._replicas.items() if not replica.gone}
        status = Status(serial=spec["serial"], supervisor=own(), replicas=replicas)
        if status != self._told:
            state.write(self._folder / "status.json", status)
            self._told = status
        return not replicas and (self._closing or not spec["replicas"])

    def _trim(self, spec: Spec) -> None:
        """Logs keep their newest part in two files: the replica goes on writing into the same one, from its start."""
        for name in self._replicas:
            log = state.log_path(spec, name)
            if log.exists() and log.stat().st_size > spec["log_limit"]:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)

    def _sleep(self, spec: Spec) -> None:
        now = time.monotonic()
        waits = [_LONGEST_SLEEP]
        for replica in self._replicas.values():
            due = replica.due(spec)
            if due is not None:
                waits.append(max(due - now, _KILL_EVERY if replica.pid is not None else 0.0))
            if replica.pid is not None and not replica.child:
                waits.append(_ADOPTED_LOOK)
        select.select([self._wake], [], [], min(waits))
        try:
            os.read(self._wake, 512)
        except BlockingIOError:
            return


def _how(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def main(folder: Path) -> None:
    """Watch over the release in `folder`; nothing when another supervisor does already."""
    supervisor = Supervisor(folder)
    if _take(folder / "lock"):
        supervisor.run()


def _take(path: Path) -> bool:
    """The lock is never given back: it ends with the process."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return False
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
            continue
        os.truncate(handle, 0)
        os.pwrite(handle, json.dumps(own()).encode(), 0)
        return True
    return False


def detach(folder: str) -> None:
    """Fork, so that the supervisor is nobody's child, and leave the caller's session."""
    if os.fork() == 0:
        os.setsid()
        main(Path(folder))
