"""DBOS for tests.bench: POST /noop or /process runs ten durable steps in one workflow, and answers when they have ended.

Its system database is SQLite, which is DBOS's default. Usage: ten_steps.py PORT STEPS, in a folder of its own.
"""

from __future__ import annotations

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dbos import DBOS, DBOSConfig

STEPS = int(sys.argv[2])
config: DBOSConfig = {
    "name": "bench",
    "system_database_url": f"sqlite:///{Path.cwd() / 'dbos.sqlite'}",
    "run_admin_server": False,
    "log_level": "WARNING",
}
DBOS(config=config)


@DBOS.step()
def noop() -> None:
    """Ends at once."""


@DBOS.step()
def process() -> int:
    """As a Switchyard step is run; the shell's options too."""
    return subprocess.run(["bash", "-euo", "pipefail", "-c", "true"], capture_output=True, check=True).returncode


RECIPES = {"noop": noop, "process": process}


@DBOS.workflow()
def ten_steps(kind: str) -> None:
    for _ in range(STEPS):
        RECIPES[kind]()


class Trigger(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        kind = self.path.strip("/")
        if kind not in RECIPES:
            self._answer(404)
            return
        DBOS.start_workflow(ten_steps, kind).get_result()
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    DBOS.launch()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Trigger).serve_forever()
