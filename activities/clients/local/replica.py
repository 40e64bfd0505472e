"""One replica as its supervisor sees it. Standard library only: this runs in the supervisor."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import NoReturn

from activities.clients.local import state
from activities.clients.local.identity import Identity, identify, is_running, own
from activities.clients.local.state import MARK, ReplicaSpec, ReplicaState, Spec
from activities.steps.processes import descendants, marked, send

_BACKOFF = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0)
"""Seconds before the next start, by ends in a row."""
_STEADY = 10.0
"""Seconds after which a running replica's earlier ends no longer slow its next start down."""
_FORGIVEN = 600.0
"""Seconds after which a crash is no longer told."""


class Replica:
    """`step` moves it towards `wanted` (None: gone) and never waits. `child`: started by this supervisor, which is told its end.

    All times are monotonic but those of crashes.
    """

    def __init__(self, folder: Path, wanted: ReplicaSpec, before: ReplicaState | None) -> None:
        self.name = wanted["name"]
        self.wanted: ReplicaSpec | None = wanted
        self._folder = folder
        self._record = folder / "replicas" / f"{self.name}.json"
        self._port = before["port"] if before else wanted["port"]
        self._exits = before["exits"] if before else 0
        self._crashes = list(before["crashes"]) if before else []
        self._problem = before["problem"] if before else ""
        self._log_from = before["log_from"] if before else 0
        self._identity: Identity | None = None
        self._in_a_row = 0
        self._started_at = time.monotonic()
        self._not_before = 0.0
        self._ending_since: float | None = None
        self.child = False
        self._adopt()

    def _adopt(self) -> None:
        """Take over what an earlier supervisor started; what has ended meanwhile ended unseen."""
        recorded = state.read_identity(self._record)
        if recorded is None:
            return
        if is_running(recorded):
            self._identity = recorded
        else:
            same_boot = recorded["boot"] == own()["boot"]
            self.ended("it ended while nobody watched over it" if same_boot else "", crash=same_boot)

    @property
    def pid(self) -> int | None:
        return self._identity["pid"] if self._identity else None

    @property
    def gone(self) -> bool:
        return self._identity is None and self.wanted is None

    def state(self) -> ReplicaState:
        oldest = time.time() - _FORGIVEN
        self._crashes = [crash for crash in self._crashes if crash > oldest]
        return ReplicaState(
            identity=self._identity,
            port=self._port,
            exits=self._exits,
            crashes=self._crashes,
            problem=self._problem,
            log_from=self._log_from,
        )

    def step(self, spec: Spec) -> None:
        now = time.monotonic()
        if self._identity is not None and not self.child and not is_running(self._identity):
            self.ended("it ended, and nobody saw how")
        if self._identity is None:
            if self.wanted is not None and now >= self._not_before:
                self._start(spec)
        elif self.wanted is None or self.wanted["port"] != self._port:
            self._stop(spec["stop_timeout"], now)
        elif now - self._started_at > _STEADY:
            self._in_a_row = 0

    def due(self, spec: Spec) -> float | None:
        """When `step` has something to do if nothing happens before; monotonic, None for never."""
        if self._identity is None:
            return self._not_before if self.wanted is not None else None
        return self._ending_since + spec["stop_timeout"] if self._ending_since is not None else None

    def ended(self, problem: str, *, crash: bool = True) -> None:
        """Its main process has ended: whatever else it has started goes with it."""
        send(self._members(), signal.SIGKILL)
        asked = self._ending_since is not None
        self._identity, self._ending_since = None, None
        self._record.unlink(missing_ok=True)
        if asked or not crash:
            return
        self._problem = problem
        self._exits += 1
        if self.wanted is not None and self.wanted["settled"]:
            self._crashes.append(time.time())
        self._not_before = time.monotonic() + _BACKOFF[min(self._in_a_row, len(_BACKOFF) - 1)]
        self._in_a_row += 1

    def _stop(self, patience: float, now: float) -> None:
        if self._ending_since is None:
            self._ending_since = now
            send(self._members(), signal.SIGTERM)
            send(self._members(), signal.SIGCONT)
        elif now >= self._ending_since + patience:
            send(self._members(), signal.SIGKILL)

    def _members(self) -> list[int]:
        """The replica and all that it has started, also what has left its session."""
        found = set(marked(f"{MARK}={state.mark_of(self._folder, self.name)}"))
        if self._identity is not None:
            found |= {self._identity["pid"], *descendants(self._identity["pid"])}
        return sorted(found - {os.getpid()})

    def _start(self, spec: Spec) -> None:
        """The child has a copy of the supervisor's lock until it becomes the service's program, and has recorded itself by then:
        a supervisor that comes after this one, even if this one is killed now, finds the record."""
        assert self.wanted is not None
        self._port = self.wanted["port"]
        log = state.log_path(spec, self.name)
        self._log_from = log.stat().st_size if log.exists() else 0
        pid = os.fork()
        if pid == 0:
            _become(self._folder, self._record, spec, self.name, self._port)
        self._identity = identify(pid, zombie=True)
        self.child = True
        self._started_at = time.monotonic()


def _become(folder: Path, record: Path, spec: Spec, name: str, port: int) -> NoReturn:
    try:
        os.setsid()
        state.write(record, own())
        _wire(state.log_path(spec, name))
        os.chdir(folder / "app")
        os.umask(0o022)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        own_env = {"PORT": str(port), "SWITCHYARD_PORT": str(port), "SWITCHYARD_REPLICA_NAME": name}
        env = {**spec["env"], **own_env, MARK: state.mark_of(folder, name)}
        os.execve("/bin/sh", ["sh", "-c", spec["command"]], env)  # noqa: S606
    except BaseException as error:
        os.write(2, f"could not be started: {getattr(error, 'strerror', None) or error}\n".encode())
    os._exit(127)


def _wire(log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for handle in (output, nothing):
        if handle > 2:
            os.close(handle)
