"""The worker's side of a release's folder: what shall run, what runs, and the supervisor that sees to it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from activities.base import heartbeat
from activities.clients.local import state
from activities.clients.local.identity import is_running
from activities.clients.local.state import ReplicaSpec, ReplicaState, Spec
from pipelines.errors import Unavailable

_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from activities.clients.local.supervisor import detach; detach(sys.argv[2])"
_LOOK = 0.02
_MOMENT = 0.5
_LAUNCH_AGAIN = 0.5


class ReleaseFolder:
    """`path`: the release's own folder, absolute and without links, since processes are recognised by it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._launched = float("-inf")

    @property
    def app(self) -> Path:
        return self.path / "app"

    def spec(self) -> Spec | None:
        return state.read_spec(self.path)

    def replicas(self) -> dict[str, ReplicaState]:
        """What the supervisor said last, by replica."""
        status = state.read_status(self.path)
        return status["replicas"] if status else {}

    def fresh_replicas(self) -> dict[str, ReplicaState]:
        """As `replicas`; when one has just ended the supervisor gets a moment to say how."""
        deadline = time.monotonic() + _MOMENT
        while True:
            found = self.replicas()
            ended = any(each["identity"] is not None and not is_running(each["identity"]) for each in found.values())
            if not ended or time.monotonic() > deadline:
                return found
            time.sleep(_LOOK)

    def running(self, name: str) -> bool:
        found = self.replicas().get(name)
        return found is not None and is_running(found["identity"])

    def want(self, spec: Spec, replicas: list[ReplicaSpec]) -> Spec:
        """Write what shall run, and wake the supervisor. Wanting what is wanted already writes nothing."""
        if spec["serial"] and spec["replicas"] == replicas:
            self.wake()
            return spec
        wanted = Spec(**{**spec, "serial": spec["serial"] + 1, "replicas": replicas})
        for folder in (self.path / "replicas", self.path / "home", self.path / "tmp", Path(spec["logs"])):
            folder.mkdir(parents=True, exist_ok=True)
        state.write(self.path / "spec.json", wanted)
        self.wake()
        return wanted

    def wake(self) -> None:
        """Have a supervisor look at the spec; start one where none is."""
        if self.supervised:
            identity = state.read_identity(self.path / "lock")
            with suppress(ProcessLookupError):
                os.kill(identity["pid"] if identity else 0, signal.SIGUSR1)
        else:
            self.launch()

    @property
    def supervised(self) -> bool:
        return is_running(state.read_identity(self.path / "lock"))

    def launch(self) -> None:
        """Start a supervisor; it ends by itself when there is one already. Not again within half a second."""
        if time.monotonic() - self._launched < _LAUNCH_AGAIN:
            return
        self._launched = time.monotonic()
        with (self.path / "supervisor.log").open("ab") as log:
            command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_ROOT), str(self.path)]
            env = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
            subprocess.run(
                command, env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, check=False
            )

    def until(self, done: Callable[[], bool], patience: float, what: str) -> None:
        """Poll; a supervisor that is missing is started. Raises Unavailable when `patience` seconds are over."""
        deadline = time.monotonic() + patience
        while not done():
            if time.monotonic() > deadline:
                raise Unavailable(f"{what} has not happened within {patience:g} s", f"See {self.path / 'supervisor.log'}")
            if not self.supervised:
                self.launch()
            heartbeat()
            time.sleep(_LOOK)

    def seen(self, serial: int) -> bool:
        """The supervisor has acted on this spec or a later one."""
        status = state.read_status(self.path)
        return status is not None and status["serial"] >= serial

    def remove(self) -> None:
        """All but the logs, which are elsewhere. The spec goes first: what is left is nobody's release."""
        (self.path / "spec.json").unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
        if self.path.exists():
            raise Unavailable(f"{self.path} cannot be removed", "Remove it by hand")
