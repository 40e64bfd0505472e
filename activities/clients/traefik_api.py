"""Traefik's own HTTP interface on its admin entry point: what it serves, and its metrics."""

from __future__ import annotations

from typing import Any

import httpx

from pipelines.errors import Unavailable

_REMEDY = "Start it with 'switchyard up'"


class TraefikApi:
    """`url`: base URL of the admin entry point. All methods raise Unavailable when Traefik does not answer."""

    def __init__(self, url: str, timeout: float = 2.0) -> None:
        self._url = url
        self._client = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def ping(self) -> None:
        self._get("/ping")

    def raw(self) -> dict[str, Any]:
        """Routers and services that are in use, by name@provider."""
        found: dict[str, Any] = self._get("/api/rawdata").json()
        return found

    def version(self) -> str:
        return str(self._get("/api/version").json().get("Version", ""))

    def metrics(self) -> str:
        """In Prometheus' text format."""
        return self._get("/metrics").text

    def close(self) -> None:
        self._client.close()

    def _get(self, path: str) -> httpx.Response:
        try:
            return self._client.get(path).raise_for_status()
        except httpx.HTTPStatusError as error:
            raise Unavailable(f"the proxy answered {error.response.status_code} to {self._url}{path}", _REMEDY) from error
        except httpx.HTTPError as error:
            raise Unavailable(f"the proxy does not answer at {self._url}: {type(error).__name__}", _REMEDY) from error
