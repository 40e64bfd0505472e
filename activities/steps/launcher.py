"""The worker's side of the zygote: hand over a job, get an answer."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from activities.steps.job import Job
from activities.steps.zygote import pack
from pipelines.errors import Unavailable

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from activities.steps.zygote import main; main(int(sys.argv[2]))"
_PATIENCE = 30.0


class Launcher:
    """Starts supervisors. The zygote is started with the first one, and again when it was killed."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def launch(self, job: Job) -> str:
        """'started', 'taken' or 'finished'. Raises Unavailable when no supervisor can be started."""
        message = pack(json.dumps(asdict(job)).encode())
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._pass_on(theirs)
            ours.setblocking(False)
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(_PATIENCE):
                    await loop.sock_sendall(ours, message)
                    said = (await loop.sock_recv(ours, 64)).decode()
            except (OSError, TimeoutError) as error:
                raise Unavailable("the step's supervisor does not answer", "The host may be out of memory") from error
        if said not in ("started", "taken", "finished"):
            raise Unavailable("the step's supervisor could not start", "The host may be out of memory, processes or disk")
        return said

    def close(self) -> None:
        """End the zygote; supervisors go on."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _pass_on(self, handle: socket.socket) -> None:
        for _ in range(2):
            if self._socket is None:
                self._socket = self._start()
            try:
                socket.send_fds(self._socket, [b"."], [handle.fileno()])
            except OSError:
                self.close()
            else:
                return
        raise Unavailable("the process that starts steps cannot be reached", "Restart the worker")

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_ROOT), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return ours
