"""The web server: webhooks, JSON API and dashboard on one port.

Who may read and write is in `starter.api.guard`. Every request finds the shared `Site` (settings, Temporal client, records) in
`request.app.state.site`, or by the dependencies of `starter.api.site`.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from pipelines.errors import SwitchyardError
from pipelines.settings import Settings
from starter.api import asks, problems, rollouts, runs, streams
from starter.api.guard import Guard
from starter.api.site import Site, TheClient
from starter.dashboard import pages
from starter.webhooks import github, gitlab

_LOG = logging.getLogger("switchyard.web")

health = APIRouter()


def create_app(settings: Settings) -> FastAPI:
    """The whole application. It starts without Temporal too: webhooks are then answered 503, so that they come again."""
    site = Site(settings)
    app = FastAPI(
        title="Switchyard",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.site = site
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.web.max_body)
    app.add_middleware(Guard, site=site)
    problems.handle(app)
    for router in (health, github.router, gitlab.router, streams.router, asks.router, rollouts.router, runs.router, pages.router):
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    site: Site = app.state.site
    warming = asyncio.create_task(asyncio.to_thread(_warm))
    try:
        await site.client()
    except SwitchyardError as error:
        _LOG.warning("%s", error)
    yield
    site.stopping.set()
    await warming


def _warm() -> None:
    """The database library takes a second to load; nobody who asks for evidence should wait for it."""
    importlib.import_module("activities.records")


@health.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@health.get("/readyz")
async def ready(client: TheClient) -> JSONResponse:
    """200 when runs can be started, 503 when Temporal does not answer."""
    return JSONResponse({"status": "ok" if await client.service_client.check_health(retry=False) else "waiting"})
