"""Prometheus' HTTP API: one number now, or a series over time.

https://prometheus.io/docs/prometheus/latest/querying/api/ ; values are texts, 'NaN' and '+Inf' among them.
"""

from __future__ import annotations

import math
from string import Template
from typing import Any

import httpx

from pipelines.errors import SettingsError, SpecError, Throttled, Unavailable


class Prometheus:
    """`url`: base URL without /api; '' means that none is configured, which is told when it is needed."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=timeout, trust_env=False)

    def number(self, query: str, at: float) -> float | None:
        """The query's value at a time in Unix seconds; None when there is none, or it is not a number.

        Raises SpecError for a query that Prometheus refuses or that gives several series, SettingsError, Throttled, Unavailable.
        """
        data = self._get("query", {"query": query, "time": f"{at:.3f}"})
        if data["resultType"] in ("scalar", "string"):
            return _value(data["result"][1])
        found = data["result"]
        if len(found) > 1:
            raise SpecError(f"the query gives {len(found)} series, not one number: {query}", "Aggregate it, e.g. with sum(...)")
        return _value(found[0]["value"][1]) if found else None

    def series(self, query: str, start: float, end: float, step: float) -> list[float | None]:
        """The query's values from `start` to `end` (Unix seconds) every `step` seconds; None where there is none."""
        times = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        found = self._get("query_range", {"query": query, **times})["result"]
        if len(found) > 1:
            raise SpecError(f"the query gives {len(found)} series, not one: {query}", "Aggregate it, e.g. with sum(...)")
        known = {round((float(at) - start) / step): _value(value) for at, value in (found[0]["values"] if found else [])}
        return [known.get(index) for index in range(int((end - start) / step + 1e-9) + 1)]

    def _get(self, what: str, parameters: dict[str, str]) -> dict[str, Any]:
        if not self._url:
            raise SettingsError("a metric asks Prometheus, but no Prometheus is configured", "Set SWITCHYARD_PROMETHEUS_URL")
        try:
            answer = self._client.post(f"{self._url}/api/v1/{what}", data=parameters)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"Prometheus at {self._url} does not answer: {type(error).__name__}") from error
        if answer.status_code in (400, 422) and isinstance(body, dict):
            raise SpecError(f"Prometheus refuses the query: {body.get('error', '')}", f"The query is {parameters['query']}")
        if answer.status_code == 429:
            raise Throttled(f"Prometheus at {self._url} asks for patience")
        if answer.status_code != 200 or not isinstance(body, dict) or body.get("status") != "success":
            raise Unavailable(f"Prometheus at {self._url} answered {answer.status_code}")
        data: dict[str, Any] = body["data"]
        return data


def _value(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def fill(query: str, **values: str) -> str:
    """${name} filled in. Raises SpecError that names what may be used; '$$' is a dollar sign."""
    try:
        return Template(query).substitute(values)
    except (KeyError, ValueError) as error:
        known = ", ".join("${" + name + "}" for name in values)
        raise SpecError(f"the query has an unknown or broken placeholder ({error}): {query}", f"Known are {known}") from error
