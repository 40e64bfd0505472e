"""Buildbot: a master and a worker. A change comes in by its webhook; its status push tells when the build has ended."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.bench.commits import STEPS
from tests.bench.peers.environment import RECIPES, interpreter
from tests.bench.peers.process import answers, started
from tests.support.ports import free_ports

Run = Callable[[str], float]
MOST_SECONDS = 60.0
SUCCESS = 0
_MASTER = "from buildbot.scripts.runner import run; run()"
_WORKER = "from buildbot_worker.scripts.runner import run; run()"


@dataclass
class Listener:
    """Takes Buildbot's status pushes; `ended` holds the results of builds, each with the time at which it came."""

    ended: queue.Queue[tuple[float, int]] = field(default_factory=queue.Queue)

    @contextmanager
    def serving(self) -> Iterator[int]:
        """The port that it listens on."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # Buildbot keeps connections; one that is closed under it loses a push, and it pushes only once.
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            now = time.perf_counter()
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            if told.get("complete"):
                listener.ended.put((now, told["results"]))

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


@contextmanager
def running(folder: Path) -> Iterator[Run]:
    python, listener = str(interpreter("buildbot")), Listener()
    web, pb = free_ports(2)
    with listener.serving() as port:
        env = _environment(web, pb, port)
        master, worker = folder / "master", folder / "worker"
        _prepare(python, env, master, worker, pb)
        start = ["start", "--nodaemon"]
        with (
            started([python, "-c", _MASTER, *start, str(master)], master, env) as process,
            started([python, "-c", _WORKER, *start, str(worker)], worker, env),
        ):
            answers(f"http://127.0.0.1:{web}/api/v2/application.spec", process, master / "twistd.log")
            _until_connected(web)
            yield lambda kind: _run(web, kind, listener)


def _environment(web: int, pb: int, listener: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    ours = {"BENCH_WEB": web, "BENCH_PB": pb, "BENCH_LISTENER": listener, "BENCH_STEPS": STEPS}
    return {**kept, **{name: str(value) for name, value in ours.items()}}


def _prepare(python: str, env: dict[str, str], master: Path, worker: Path, pb: int) -> None:
    """Raises CalledProcessError."""
    commands = [
        [_MASTER, "create-master", "--config", str(RECIPES / "buildbot" / "master.cfg"), str(master)],
        [_WORKER, "create-worker", str(worker), f"127.0.0.1:{pb}", "bench", "bench"],
    ]
    master.parent.mkdir(parents=True, exist_ok=True)
    for program, *arguments in commands:
        subprocess.run([python, "-c", program, *arguments], env=env, check=True, capture_output=True)


def _until_connected(web: int) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    while time.monotonic() < deadline:
        if _connected(web):
            return
        time.sleep(0.05)
    raise RuntimeError("Buildbot's worker does not connect to its master")


def _connected(web: int) -> bool:
    """False too while the master is too busy with its start to answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{web}/api/v2/workers/1", timeout=5) as answer:
            return bool(json.load(answer)["workers"][0]["connected_to"])
    except OSError:
        return False


def _run(web: int, kind: str, listener: Listener) -> float:
    """Raises RuntimeError when the build failed, queue.Empty when it does not end."""
    change = {"author": "ann", "revision": "", "comments": "a change", "branch": kind, "project": "bench", "files": "[]"}
    body = urllib.parse.urlencode(change).encode()
    begun = time.perf_counter()
    urllib.request.urlopen(f"http://127.0.0.1:{web}/change_hook/base", body, timeout=30).close()
    ended, results = listener.ended.get(timeout=MOST_SECONDS)
    if results != SUCCESS:
        raise RuntimeError(f"Buildbot's build ended with {results}")
    return (ended - begun) * 1000
