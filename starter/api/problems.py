"""Errors as answers: JSON {error, remedy} with the status that fits, and never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pipelines.errors import Busy, Conflict, Denied, NotFound, RealFailure, SwitchyardError, Throttled, UserError, wrong_fields

RETRY_SECONDS = 5
_LOG = logging.getLogger("switchyard.web")
_STATUS: tuple[tuple[type[SwitchyardError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Denied, 403),
    (RealFailure, 409),
    (UserError, 400),
)
_REMEDIES = {
    404: "See /api/openapi.json for what there is",
    405: "See /api/openapi.json for what there is",
    413: "Send less, or raise SWITCHYARD_WEB__MAX_BODY (bytes)",
}


def problem(status: int, error: str, remedy: str = "", headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error, "remedy": remedy}, status, dict(headers or {}))


def of_error(error: SwitchyardError) -> JSONResponse:
    """What the class of the error says: 404, 409, 403, 400, and 503 with Retry-After for what may be otherwise in a moment."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 503)
    headers = {"Retry-After": str(1 if isinstance(error, Busy | Throttled) else RETRY_SECONDS)} if status == 503 else {}
    return problem(status, error.message, error.remedy, headers)


def too_large() -> JSONResponse:
    return problem(413, "the body is too large", _REMEDIES[413])


async def _switchyard(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SwitchyardError)
    return of_error(error)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return problem(400, wrong_fields(error.errors()), "See /api/openapi.json for the fields")


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, _REMEDIES.get(error.status_code, ""), error.headers)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "the server has made a mistake", "Its log has the details; please report it")


def handle(app: FastAPI) -> None:
    app.add_exception_handler(SwitchyardError, _switchyard)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
