"""The dashboard's routes without a browser: frames, static files, what guards them, and that they are shipped."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from markupsafe import escape
from setuptools import find_namespace_packages  # type: ignore[import-untyped]

from pipelines.settings import Ports, Settings, Web
from starter.dashboard import pages
from starter.web import create_app
from tests.starter.web.conftest import AUTHORIZED, TOKEN, serving

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "starter" / "dashboard"
STATIC = sorted(FOLDER.joinpath("static").iterdir())
RUN = f"github/acme/shop/{'ab' * 20}/default"
TYPES = {".js": "javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Nothing answers at Temporal's port: frames must be there all the same."""
    return Settings(state_dir=tmp_path, ports=Ports(temporal=1), web=Web.model_validate({"token": TOKEN}))


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "name"), [("/", "runs"), (f"/runs/{RUN}", "run"), (f"/runs/{RUN}@tag-1", "run"), ("/runs/abcdef", "run")]
)
async def test_pages_are_there_without_temporal(http: httpx.AsyncClient, path: str, name: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert f'data-page="{name}"' in answer.text
    assert answer.text.count("<dialog") == 1


async def test_a_page_knows_its_run_and_where_temporals_ui_is(http: httpx.AsyncClient, settings: Settings) -> None:
    text = (await http.get(f"/runs/{RUN}")).text
    assert f'data-run="{RUN}"' in text
    assert f'data-workflows="{settings.ui_url}/namespaces/default/workflows"' in text


async def test_temporals_ui_of_a_cluster_is_linked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "releases")
    there = settings.model_copy(update={"temporal_ui_url": "https://temporal.example/"})
    assert pages.workflows_url(there) == "https://temporal.example/namespaces/releases/workflows"


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", '" onload="alert(1)', "'><img src=x>"])
async def test_what_stands_in_the_address_is_escaped(http: httpx.AsyncClient, words: str) -> None:
    text = (await http.get(f"/runs/{quote(words, safe='')}")).text
    assert words not in text
    assert f'data-run="{escape(words)}"' in text


async def test_what_stands_in_the_address_is_no_template(http: httpx.AsyncClient) -> None:
    assert 'data-run="{{ 7 * 7 }}"' in (await http.get(f"/runs/{quote('{{ 7 * 7 }}')}")).text


async def test_frames_hold_no_inline_script_or_style(http: httpx.AsyncClient) -> None:
    for path in ("/", f"/runs/{RUN}"):
        text = (await http.get(path)).text
        assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", text) == []
        assert re.findall(r"<style|\sstyle=|\son\w+=", text) == []
        assert re.findall(r"""(?:src|href)="(?!/|#|http://127\.0\.0\.1)[^"]*""", text) == []


@pytest.mark.parametrize("path", ["/", f"/runs/{RUN}", "/static/base.css"])
async def test_policy_and_caching(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("file", STATIC, ids=lambda file: file.name)
async def test_static_files(http: httpx.AsyncClient, file: Path) -> None:
    answer = await http.get(f"/static/{file.name}")
    assert answer.status_code == 200
    assert TYPES[file.suffix] in answer.headers["content-type"]
    assert answer.content == file.read_bytes()
    again = await http.get(f"/static/{file.name}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["none.js", "../pages.py", "%2e%2e/pages.py", "..%2f..%2fweb.py", "%2fetc/passwd", ""])
async def test_nothing_else_is_served(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(httpx.URL(f"http://127.0.0.1/static/{path}"))
    assert answer.status_code == 404
    assert answer.json()["error"]


async def test_pages_take_no_writes(http: httpx.AsyncClient) -> None:
    assert (await http.post("/", headers=AUTHORIZED)).status_code == 405
    assert (await http.post(f"/runs/{RUN}")).status_code == 401


async def test_a_server_for_others_shows_pages_to_those_with_the_token(settings: Settings) -> None:
    public = settings.model_copy(update={"web": settings.web.model_copy(update={"host": "0.0.0.0"})})
    async with serving(create_app(public)) as client:
        assert (await client.get("/")).status_code == 401
        assert (await client.get("/", auth=("me", TOKEN))).status_code == 200
        assert (await client.get("/static/base.css")).status_code == 200, "they tell nothing"


def test_every_file_of_the_pages_is_shipped() -> None:
    """Package data goes by package, and a folder without Python is one too (a namespace)."""
    tools = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text())["tool"]["setuptools"]
    packages = find_namespace_packages(str(ROOT), include=tools["packages"]["find"]["include"])
    for folder in ("static", "templates"):
        assert f"starter.dashboard.{folder}" in packages
        for file in FOLDER.joinpath(folder).iterdir():
            assert any(fnmatch(file.name, pattern) for pattern in tools["package-data"]["*"]), file.name


def test_modules_import_only_what_is_there() -> None:
    names = {file.name for file in STATIC}
    for file in STATIC:
        if file.suffix == ".js":
            assert {*re.findall(r"from '\./([^']+)'", file.read_text())} <= names, file.name


def test_modules_never_make_markup_of_text() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment"
    )
    sources = {file.name: file.read_text() for file in STATIC if file.suffix == ".js"}
    assert [name for name, source in sources.items() if forbidden.search(source)] == []
