"""A small server that speaks the part of the Docker Engine API (v1.43) that the adapter uses; its containers are local processes.

Paths, fields and status codes follow the documented API: https://docs.docker.com/reference/api/engine/version/v1.43/
"""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

IMAGES = ("debian:12",)
PULLABLE = ("busybox:1",)


@dataclass
class Box:
    """One container."""

    name: str
    config: dict[str, Any]
    output: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def status(self) -> str:
        if self.process is None:
            return "created"
        return "running" if self.process.poll() is None else "exited"

    @property
    def exit_code(self) -> int:
        code = self.process.poll() if self.process else None
        return 0 if code is None else code if code >= 0 else 128 - code

    def start(self) -> None:
        env = dict(pair.split("=", 1) for pair in self.config["Env"])
        argv = [*self.config["Entrypoint"], *self.config["Cmd"]]
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                argv,
                cwd=self.config["WorkingDir"],
                env={"PATH": os.environ["PATH"], **env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def inspect(self) -> dict[str, Any]:
        state = {"Status": self.status, "ExitCode": self.exit_code, "OOMKilled": False, "Running": self.status == "running"}
        return {"Id": self.name, "Name": f"/{self.name}", "State": state, "Config": {**self.config, "Tty": False}, "Image": "i"}


@dataclass
class Daemon:
    """`address` is what DOCKER_HOST would be; `requests` are the (method, path) pairs it was asked."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp()))
    boxes: dict[str, Box] = field(default_factory=dict)
    images: set[str] = field(default_factory=lambda: set(IMAGES))
    requests: list[tuple[str, str]] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False

    def __enter__(self) -> Daemon:
        handler = type("Handler", (_Handler,), {"daemon": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.ended = True
        for box in self.boxes.values():
            box.kill(signal.SIGKILL)
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    daemon: Daemon
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Tests need no access log."""

    def do_GET(self) -> None:
        self._route("GET")

    def do_POST(self) -> None:
        self._route("POST")

    def do_DELETE(self) -> None:
        self._route("DELETE")

    def _route(self, method: str) -> None:
        if self.daemon.ended:
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        path = re.sub(r"^/v1\.\d+", "", parts.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or b"null") if size else {}
        self.daemon.requests.append((method, path))
        if path == "/_ping":
            self._send(200, b"OK")
        elif path == "/version":
            self._json(200, {"ApiVersion": "1.43", "Version": "24.0.0"})
        elif path == "/images/create":
            self._pull(f"{query['fromImage']}:{query.get('tag', 'latest')}")
        elif match := re.fullmatch(r"/images/(.+)/json", path):
            known = match[1] in self.daemon.images
            self._json(200, {"Id": match[1], "RepoTags": [match[1]]}) if known else self._missing(f"No such image: {match[1]}")
        elif path == "/containers/create":
            self._create(query["name"], body)
        elif match := re.fullmatch(r"/containers/([^/]+)(?:/(\w+))?", path):
            self._container(method, match[1], match[2] or "", query)
        else:
            self._missing(path)

    def _pull(self, image: str) -> None:
        if image not in PULLABLE:
            self._missing(f"pull access denied for {image}")
            return
        self.daemon.images.add(image)
        self._send(200, json.dumps({"status": "Pull complete"}).encode() + b"\r\n")

    def _create(self, name: str, body: dict[str, Any]) -> None:
        if body["Image"] not in self.daemon.images:
            self._missing(f"No such image: {body['Image']}")
        elif name in self.daemon.boxes:
            self._json(409, {"message": f'Conflict. The container name "/{name}" is already in use'})
        else:
            self.daemon.created.append(body)
            self.daemon.boxes[name] = Box(name, body, self.daemon.folder / f"{name}-{len(self.daemon.created)}.log")
            self._json(201, {"Id": name, "Warnings": []})

    def _container(self, method: str, name: str, action: str, query: dict[str, str]) -> None:
        box = self.daemon.boxes.get(name)
        if box is None:
            self._missing(f"No such container: {name}")
        elif method == "DELETE":
            box.kill(signal.SIGKILL)
            del self.daemon.boxes[name]
            self._send(204, b"")
        else:
            {"json": self._inspect, "start": self._start, "logs": self._logs, "wait": self._wait, "stop": self._stop}[action](
                box, query
            )

    def _inspect(self, box: Box, _: dict[str, str]) -> None:
        self._json(200, box.inspect())

    def _start(self, box: Box, _: dict[str, str]) -> None:
        if box.status != "created":
            self._send(304, b"")
            return
        try:
            box.start()
        except OSError as error:
            self._json(400, {"message": f"failed to create task: OCI runtime create failed: exec: {error}"})
            return
        self._send(204, b"")

    def _wait(self, box: Box, _: dict[str, str]) -> None:
        assert box.process
        box.process.wait()
        self._json(200, {"StatusCode": box.exit_code})

    def _stop(self, box: Box, query: dict[str, str]) -> None:
        box.kill(signal.SIGTERM)
        deadline = time.monotonic() + float(query.get("t", 10))
        while box.status == "running" and time.monotonic() < deadline:
            time.sleep(0.02)
        box.kill(signal.SIGKILL)
        assert box.process
        box.process.wait()
        self._send(204, b"")

    def _logs(self, box: Box, _: dict[str, str]) -> None:
        """Frames of 8 bytes of header (stream, size) and data, in chunked encoding."""
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.docker.multiplexed-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with box.output.open("rb") as file:
            while True:
                ended = box.status == "exited"
                data = file.read(1000)
                if data:
                    self._chunk(struct.pack(">BxxxL", 1, len(data)) + data)
                elif ended:
                    break
                else:
                    time.sleep(0.01)
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _missing(self, message: str) -> None:
        self._json(404, {"message": message})

    def _json(self, status: int, content: object) -> None:
        self._send(status, json.dumps(content).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
