"""Who may read and write: every route of the application, not only those that somebody thought of."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from pipelines.settings import Settings
from starter.api import guard
from starter.token import ensure_token
from starter.web import create_app
from tests.starter.web.conftest import AUTHORIZED, TOKEN, serving, settings_for

SHA = "0123456789abcdef0123456789abcdef01234567"
FILLED = {
    "ref:run": f"github/acme/shop/{SHA}/default",
    "ref:rollout": "rollout/staging/shop/1",
    "environment": "staging",
    "service": "shop",
    "stage": "build",
    "step": "0",
}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of everything that the application answers."""
    found = []
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        for name, value in FILLED.items():
            path = path.replace(f"{{{name}}}", value)
        found += [(method, path) for method in route.methods or ()]
    return found


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()}


@pytest.fixture
async def public(tmp_path: Path, standin_server: str) -> AsyncIterator[httpx.AsyncClient]:
    """A server that listens to others than this machine."""
    async with serving(create_app(settings_for(tmp_path, standin_server, host="0.0.0.0")), "ci.example") as client:
        yield client


async def test_no_route_writes_without_the_token(settings: Settings, http: httpx.AsyncClient) -> None:
    writes = [(method, path) for method, path in routes(create_app(settings)) if method not in guard.SAFE]
    guarded = [each for each in writes if not each[1].startswith("/webhooks/")]
    assert ("POST", f"/api/runs/{FILLED['ref:run']}/approve") in guarded
    assert len(guarded) >= 12
    for method, path in guarded:
        for headers in ({}, {"Authorization": "Bearer wrong"}, basic(TOKEN), {"Authorization": TOKEN}, {"Cookie": TOKEN}):
            answer = await http.request(method, path, headers=headers, json={})
            assert answer.status_code == 401, (method, path, headers)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert set(answer.json()) == {"error", "remedy"}


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/runs/../runs", "/webhooks", "/healthz/../api/runs"])
async def test_a_write_to_what_is_not_there_needs_the_token_too(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.delete(path)).status_code == 401
    assert (await http.delete(path, headers=AUTHORIZED)).status_code in (404, 405)


async def test_reading_on_this_machine_needs_nothing(http: httpx.AsyncClient) -> None:
    for host in ("127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080"):
        assert (await http.get("/api/runs", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8080", "", "[::1", "localhost@evil"])
async def test_a_foreign_host_name_reads_nothing(http: httpx.AsyncClient, host: str) -> None:
    """A page of evil.example can let its name point to 127.0.0.1, but then its name is in the request."""
    answer = await http.get("/api/runs", headers={"Host": host})
    assert answer.status_code == 401
    assert (await http.get("/api/runs", headers={"Host": host, **AUTHORIZED})).status_code == 200


async def test_the_public_urls_host_is_known(tmp_path: Path, standin_server: str) -> None:
    settings = settings_for(tmp_path, standin_server, public_url="https://CI.example:8443/x")
    async with serving(create_app(settings), "ci.example") as http:
        assert (await http.get("/api/runs")).status_code == 200


async def test_a_server_for_others_is_read_with_the_token_alone(public: httpx.AsyncClient, settings: Settings) -> None:
    for method, path in routes(create_app(settings)):
        if method in guard.SAFE and not path.startswith(guard.OPEN):
            assert (await public.request(method, path)).status_code == 401, path
    assert (await public.get("/api/runs", headers=AUTHORIZED)).status_code == 200
    assert (await public.get("/api/runs", headers=basic(TOKEN))).status_code == 200
    for wrong in (basic("x"), basic(""), {"Authorization": "Basic ???"}, {"Authorization": "Basic /w=="}):
        answer = await public.get("/api/runs", headers=wrong)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="Switchyard"')
    assert "state directory" in answer.json()["remedy"], "no path of the server is shown to strangers"
    assert (await public.get("/healthz")).status_code == 200


async def test_without_a_token_nobody_writes_until_there_is_one(tmp_path: Path, standin_server: str) -> None:
    settings = settings_for(tmp_path, standin_server, token=None)
    path = f"/api/runs/{FILLED['ref:run']}/abort"
    async with serving(create_app(settings)) as http:
        answer = await http.post(path, headers={"Authorization": "Bearer "})
        assert (answer.status_code, "no token is configured" in answer.json()["error"]) == (401, True)
        made = ensure_token(settings)
        assert (await http.post(path, headers={"Authorization": f"bearer {made}"})).status_code == 404
        wrong = await http.post(path, headers={"Authorization": "Bearer x"})
        assert (wrong.status_code, str(tmp_path / "token") in wrong.json()["remedy"]) == (401, True)
        assert made not in wrong.text


async def test_a_token_file_that_cannot_be_read_is_an_answer(tmp_path: Path, standin_server: str) -> None:
    (tmp_path / "token").mkdir()
    async with serving(create_app(settings_for(tmp_path, standin_server, token=None))) as http:
        answer = await http.post("/api/runs/abcd/abort")
    assert (answer.status_code, "token" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("path", ["/healthz", "/api/runs", "/nowhere", "/webhooks/github", "/api/openapi.json"])
async def test_every_answer_has_the_security_headers(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


async def test_no_other_site_may_read_along(http: httpx.AsyncClient) -> None:
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await http.options("/api/runs", headers=preflight)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("ci", False),
    ],
)
def test_which_addresses_are_this_machines_alone(host: str, private: bool) -> None:
    assert guard.is_loopback(host) is private


async def test_a_body_that_is_too_large_for_the_api(tmp_path: Path, standin_server: str) -> None:
    async with serving(create_app(settings_for(tmp_path, standin_server, max_body=100))) as http:
        path = f"/api/runs/{FILLED['ref:run']}/approve"

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b" " * 10

        for body in (b" " * 1000, pieces()):
            answer = await http.post(path, content=body, headers=AUTHORIZED | {"Content-Type": "application/json"})
            assert answer.status_code == 413
            assert "SWITCHYARD_WEB__MAX_BODY" in answer.json()["remedy"]
