"""A small real service as an artifact, and everything that is needed to release it on this host."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from activities.clients.artifact_store import ArtifactStore
from activities.clients.local_target import LocalTarget
from activities.clients.traefik import TraefikRouter
from activities.deploy import Deploy
from activities.traffic import Traffic
from pipelines.messages.common import ArtifactRef
from pipelines.messages.deploy import EnsureInput, Place, Release, ReleaseStatus, RetireInput, Routed, RouteInput
from pipelines.spec import ProcessSpec
from tests.support.traefik import Traefik

SERVICE = """
import http.server, json, os, signal, subprocess, sys, time

class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        path, _, query = self.path.partition("?")
        status = 200
        if path == "/exit":
            os._exit(int(query or 3))
        if path == "/slow":
            time.sleep(float(query))
        if path == "/healthz" and os.path.exists(os.environ.get("SICK", "sick")):
            status = 503
        if path == "/fail" or (os.environ.get("BROKEN") and path != "/healthz"):
            status = 500
        if path == "/child":
            subprocess.Popen(["sleep", "1000"], start_new_session=True)
        facts = {"release": os.environ["SWITCHYARD_RELEASE"], "pid": os.getpid(), "path": self.path, "env": dict(os.environ)}
        body = json.dumps(facts).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

print("service starts", flush=True)
if "--stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "--crash" in sys.argv:
    print("token=hunter2-hunter2 is wrong", file=sys.stderr)
    sys.exit(7)
if "--flaky" in sys.argv and not os.path.exists("../home/second"):
    open("../home/second", "w").close()
    sys.exit(1)
time.sleep(float(os.environ.get("STARTUP", "0")))
Server((os.environ["HOST"], int(os.environ["PORT"])), Service).serve_forever()
"""


@dataclass
class Bench:
    """One installation: artifact store, local target, Traefik and the activities over them."""

    root: Path
    traefik: Traefik
    place: Place = field(default_factory=lambda: Place(environment="staging", service="shop"))

    def __post_init__(self) -> None:
        self.store = ArtifactStore(self.root / "artifacts", lambda: None)
        source = self.root / "source"
        source.mkdir(parents=True, exist_ok=True)
        (source / "service.py").write_text(SERVICE)
        self.artifact: ArtifactRef = self.store.pack(source, ["service.py"], "app")
        self.router = TraefikRouter(self.traefik.routes, self.traefik.api(), self.traefik.addresses)
        self.target = LocalTarget(self.root / "releases", self.root / "logs", self.store, self.router)
        self.deploy = Deploy({"local": self.target}, {"local": self.router}, look=0.1)
        self.traffic = Traffic({"local": self.target}, {"local": self.router})

    def release(self, name: str, arguments: str = "", **process: object) -> Release:
        given = {"readiness_timeout": 20.0, "stop_timeout": 5.0, **process}
        spec = ProcessSpec(command=f"exec python3 service.py {arguments}", **given)  # type: ignore[arg-type]
        return Release(id=name, place=self.place, artifact=self.artifact, version="1", process=spec)

    def ensure(self, release: Release, replicas: int = 1, drain: float = 2.0) -> ReleaseStatus:
        return self.deploy.ensure(EnsureInput(release=release, replicas=replicas, drain=drain))

    def route(self, weights: dict[str, int], revision: int = 0, rollout: str = "", preview: str | None = None) -> Routed:
        wanted = RouteInput(place=self.place, weights=weights, revision=revision, rollout=rollout, preview=preview)
        return self.traffic.route(wanted)

    def retire(self, name: str, drain: float = 2.0) -> None:
        self.deploy.retire(RetireInput(place=self.place, release_id=name, drain=drain))

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Everything that runs because of a release: supervisors, replicas, and what they started."""
        folder = f"{(self.root / 'releases').resolve()}/{self.place.environment}/{self.place.service}/{name}"
        return [process for process in psutil.process_iter() if _belongs(process, folder)]

    def replicas(self, name: str) -> list[psutil.Process]:
        """The service's own processes."""
        return [process for process in self.processes(name) if "service.py" in " ".join(_command(process))]

    def supervisor(self, name: str) -> psutil.Process:
        [found] = [process for process in self.processes(name) if "detach" in " ".join(_command(process))]
        return found

    def stop(self) -> None:
        for process in self.processes():
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until(lambda: not self.processes(), "all processes are gone")


def _belongs(process: psutil.Process, folder: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        mark = process.environ().get("SWITCHYARD_REPLICA", "")
        return mark.startswith(folder) or any(argument.startswith(folder) for argument in _command(process))
    except psutil.Error:
        return False


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def until(condition: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    """Poll with a bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)
