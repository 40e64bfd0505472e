"""The real application beside a real Temporal server with stand-in workflows; each test has a state directory of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from pipelines.settings import Ports, Settings, Web
from starter.web import create_app

TOKEN = "a-token-for-tests"
GITHUB_SECRET = "hub-secret"
GITLAB_TOKEN = "lab-token"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


def settings_for(folder: Path, address: str, **web: object) -> Settings:
    """`address` is Temporal's host:port."""
    given = {"token": TOKEN, "github_secret": GITHUB_SECRET, "gitlab_token": GITLAB_TOKEN} | web
    return Settings(state_dir=folder, ports=Ports(temporal=int(address.rpartition(":")[2])), web=Web.model_validate(given))


@asynccontextmanager
async def serving(app: FastAPI, host: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """A client that speaks to the application within this process, its lifespan entered."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            yield client


@pytest.fixture
def settings(tmp_path: Path, standin_server: str) -> Settings:
    return settings_for(tmp_path, standin_server)


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings)) as client:
        yield client
