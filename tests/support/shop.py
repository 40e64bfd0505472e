"""A small service in a repository of its own, with a short pipeline, released by a live stack."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from pipelines.messages.runs import RolloutView
from tests.support.live_stack import LiveStack, until
from tests.support.repos import Repo

SERVICE = """
import http.server, json, os, time

RELEASE = os.environ["SWITCHYARD_RELEASE"]
TRAITS = json.load(open("traits.json"))

class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        path, _, query = self.path.partition("?")
        broken = TRAITS.get("broken") and path == "/"
        if path == "/slow":
            time.sleep(float(query))
        body = json.dumps({"release": RELEASE, "pid": os.getpid()}).encode()
        self.send_response(500 if broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

if TRAITS.get("crash"):
    raise SystemExit("the database is not configured")
while TRAITS.get("latch") and not os.path.exists(TRAITS["latch"]):
    time.sleep(0.02)
Server((os.environ["HOST"], int(os.environ["PORT"])), Service).serve_forever()
"""
ENVIRONMENT = "production"


class Shop:
    """One service of one stack. `name` must be the test's own: environments remember what they run."""

    def __init__(self, stack: LiveStack, name: str, folder: Path) -> None:
        self.stack = stack
        self.name = name
        self.repo = Repo(folder / name)
        self.rollouts = 0

    @property
    def url(self) -> str:
        return self.stack.address(self.name, ENVIRONMENT)

    @property
    def next_rollout(self) -> str:
        """Workflow id of the rollout that the next run will have."""
        return f"rollout/{ENVIRONMENT}/{self.name}/{self.rollouts + 1}"

    def stages(self, rollout: Mapping[str, Any], replicas: int = 1) -> dict[str, Any]:
        """Build and release, nothing else."""
        process = {"command": "exec python3 service.py", "readiness_timeout": 20, "stop_timeout": 2}
        return {
            "build": {
                "steps": [{"run": self.note("build")}],
                "artifacts": [{"name": "app", "paths": ["service.py", "traits.json"]}],
            },
            "deploy": {
                "needs": ["build"],
                "environment": ENVIRONMENT,
                "release": {"artifact": "app", "replicas": replicas, "process": process},
                "rollout": dict(rollout),
            },
        }

    def note(self, line: str) -> str:
        """A command that appends a line to this shop's file outside."""
        return f"echo {line} $SWITCHYARD_SHA >> {self.stack.outside / self.name}"

    def commit(self, stages: Mapping[str, Any], **traits: Any) -> str:
        """A version of the service whose behaviour is `traits`, with these stages."""
        pipeline = {"version": 1, "name": self.name, "service": self.name, "hold": 0, "stages": dict(stages)}
        files = {
            ".switchyard.yml": yaml.safe_dump(pipeline, sort_keys=False),
            "service.py": SERVICE,
            "traits.json": json.dumps(traits | {"at": time.time()}),
        }
        return self.repo.commit(files, message=f"version {self.rollouts + 1}")

    def start(self) -> str:
        """Run the newest commit; gives the run's id at once."""
        started = self.stack.ask("run", "--repo", str(self.repo.path))
        return str(started["run_id"])

    def ship(self, rollout: Mapping[str, Any], replicas: int = 1, **traits: Any) -> str:
        """Commit and run to the end, without anything in the way; gives the release's id."""
        self.commit(self.stages(rollout, replicas), **traits)
        view = self.stack.result(self.start())
        assert view.status == "passed", view
        return self.ended().candidate.id

    def ended(self) -> RolloutView:
        """The rollout that is the next one, when it is over."""

        def over() -> RolloutView | None:
            view = self.stack.rollout_view(self.next_rollout)
            return view if view.result else None

        view = until(over, f"{self.next_rollout} is over", 60)
        self.rollouts += 1
        return view

    def replicas(self, release: str) -> list[psutil.Process]:
        """The service's own processes of a release."""
        mark = f"{(self.stack.settings.layout.releases / ENVIRONMENT / self.name / release).resolve()}"
        found = []
        for process in psutil.process_iter():
            try:
                if "service.py" in process.cmdline() and process.cwd().startswith(mark) and _lives(process):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def dead_servers(self) -> list[str]:
        """Addresses that the proxy may send this service's users to although nobody answers there."""
        urls = {server["url"] for body in self._balancers() for server in body.get("loadBalancer", {}).get("servers", [])}
        return sorted(url for url in urls if not _answers(url))

    def shunned_servers(self) -> list[str]:
        """Addresses that the proxy sends nobody to at the moment, since its own health checks have not seen them well."""
        states = {url: state for body in self._balancers() for url, state in body.get("serverStatus", {}).items()}
        return sorted(url for url, state in states.items() if state != "UP")

    def _balancers(self) -> list[dict[str, Any]]:
        raw = httpx.get(f"http://127.0.0.1:{self.stack.ports.proxy_admin}/api/rawdata", trust_env=False).json()
        return [body for name, body in raw.get("services", {}).items() if name.startswith(f"{ENVIRONMENT}_{self.name}_")]


def _lives(process: psutil.Process) -> bool:
    return process.status() != psutil.STATUS_ZOMBIE


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
