"""The dashboard's routes: the page of runs, a page per run, and the files that both need.

A page is a frame without data, so that it is there at once, and also while Temporal is away; its modules ask the JSON API. What a
visitor wrote into the address reaches the page only through autoescaped attributes.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined

from pipelines.settings import Settings
from starter.api.site import TheSite
from starter.client import connect_config

router = APIRouter(include_in_schema=False)
STATIC = Path(__file__).parent / "static"
_FILES = StaticFiles(directory=STATIC)
_TEMPLATES = Environment(loader=PackageLoader("starter.dashboard"), autoescape=True, undefined=StrictUndefined)
_REVALIDATED = {"Cache-Control": "no-cache"}
"""Browsers keep what they have and ask whether it is still right, so that an update of the server is seen at once."""


@router.get("/", response_class=HTMLResponse)
async def runs_page(site: TheSite) -> HTMLResponse:
    """All runs, and the environments with what runs there."""
    return _page("runs.html", site.settings)


@router.get("/runs/{run_id:path}", response_class=HTMLResponse)
async def run_page(site: TheSite, run_id: str) -> HTMLResponse:
    """One run. Whether there is such a run is for the API to say, in words that the page shows."""
    return _page("run.html", site.settings, run_id=run_id)


@router.get("/static/{name:path}")
async def static(request: Request, name: str) -> Response:
    """A file of the pages. Raises HTTPException 404 for everything else, also for paths that lead out of the folder."""
    answer = await _FILES.get_response(name, request.scope)
    answer.headers.update(_REVALIDATED)
    return answer


def workflows_url(settings: Settings) -> str:
    """Where Temporal's UI lists workflows; behind it come '/<workflow id>/<execution>'."""
    return f"{settings.ui_url.rstrip('/')}/namespaces/{connect_config(settings)['namespace']}/workflows"


def _page(name: str, settings: Settings, **given: str) -> HTMLResponse:
    text = _TEMPLATES.get_template(name).render(workflows=workflows_url(settings), **given)
    return HTMLResponse(text, headers=_REVALIDATED)
