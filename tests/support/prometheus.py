"""A local server that plays Prometheus' HTTP API with answers as its documentation has them."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs


class PrometheusServer(http.server.ThreadingHTTPServer):
    """Answers with what was put there last, or with what `answer` makes of the question; remembers every form it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = 200, b""
        self.asked: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], tuple[str, object]] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def play(self, body: object, status: int = 200) -> None:
        self.status, self.body = status, json.dumps(body).encode() if not isinstance(body, bytes) else body

    def success(self, kind: str, result: object) -> None:
        self.play({"status": "success", "data": {"resultType": kind, "result": result}})

    def start(self) -> None:
        threading.Thread(target=lambda: self.serve_forever(0.02), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: PrometheusServer

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append({"path": self.path, **{key: values[0] for key, values in form.items()}})
        if self.server.answer:
            self.server.success(*self.server.answer(self.server.asked[-1]))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args: object) -> None:
        """Silent."""
