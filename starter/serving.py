"""The web server's process: one socket, one event loop, and an end that leaves nobody waiting."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from pipelines.errors import SettingsError
from pipelines.settings import Settings
from starter.api.site import Site
from starter.stack.ports import require_free
from starter.web import create_app

GRACE_SECONDS = 5
"""What requests in flight get on SIGTERM; streams end by themselves within one."""
BACKLOG = 2048


class Server(uvicorn.Server):
    """As uvicorn's, but tells streams to end, and returns after SIGTERM instead of dying of it."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._site.stopping.set()
        super().handle_exit(sig, frame)


def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. Raises Conflict when the port is taken, SettingsError when the address is not this machine's."""
    app = create_app(settings)
    listening = _listen(settings)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,
    )
    # What was imported lives as long as the process; looking at it in every collection would cost requests their time.
    gc.collect()
    gc.freeze()
    gc.enable()
    Server(config, app.state.site).run([listening])


def _listen(settings: Settings) -> socket.socket:
    host, port = settings.web.host, settings.ports.web
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        require_free(port, "web", "web server")
        remedy = "Set SWITCHYARD_WEB__HOST to an address of this machine, and SWITCHYARD_PORTS__WEB to a port that you may use"
        raise SettingsError(f"the web server cannot listen on {host}:{port}: {error.strerror}", remedy) from None
