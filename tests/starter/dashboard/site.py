"""The application on a port that stays its own, so that it can go and come back as in a restart, and the runs it shows."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import FastAPI
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.records import Records
from pipelines.messages.common import RunRequest
from pipelines.messages.deploy import Place, RollbackRequest
from pipelines.messages.runs import Abort, Approve, Promote, RolloutView, RunView
from pipelines.settings import Settings
from starter import runs
from starter.web import create_app
from tests.starter.conftest import request, until
from tests.starter.standins import rollout_id
from tests.starter.web.live import live
from tests.support.ports import free_port

T = TypeVar("T")
LOG = "r/build/00.log"
"""Where the step of a stand-in run writes."""


class Play:
    """Starts stand-in runs and looks at them behind the dashboard's back, from synchronous tests."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._runner = asyncio.Runner()

    @cached_property
    def _client(self) -> Client:
        return self._runner.run(Client.connect(self._address, data_converter=pydantic_data_converter))

    def begin(self, title: str = "wait", **fields: str) -> RunRequest:
        wanted = request(title, **fields)
        self.do(runs.start(self._client, wanted))
        return wanted

    def view(self, run: RunRequest) -> RunView:
        return self.do(runs.describe(self._client, run.workflow_id))

    def rollout(self, run: RunRequest) -> RolloutView:
        return self.do(runs.rollout(self._client, rollout_id(run.workflow_id)))

    def approve(self, run: RunRequest) -> None:
        self.do(runs.approve(self._client, run.workflow_id, Approve(actor="ada")))

    def abort(self, run: RunRequest) -> None:
        self.do(runs.abort(self._client, run.workflow_id, Abort(actor="ada")))

    def promote(self, run: RunRequest) -> None:
        self.do(runs.promote(self._client, run.workflow_id, Promote(actor="ada")))

    def listed(self, run: RunRequest) -> bool:
        """Temporal's lists lag a moment behind."""
        return bool(self.do(runs.list_runs(self._client, sha=run.sha)))

    def asked(self, run: RunRequest) -> list[dict[str, Any]]:
        return self.asked_of(run.workflow_id)

    def asked_of(self, workflow_id: str) -> list[dict[str, Any]]:
        """Every update that the workflow has accepted, as it was sent."""
        history = self.do(self._client.get_workflow_handle(workflow_id).fetch_history())
        accepted = [each.workflow_execution_update_accepted_event_attributes.accepted_request for each in history.events]
        return [json.loads(payload.data) for request in accepted for payload in request.input.args.payloads]

    def release_to(self, environment: str) -> None:
        """Makes an environment with releases of the shop, and waits until it is listed."""
        place = Place(environment=environment, service="shop")
        self.do(runs.rollback(self._client, RollbackRequest(place=place, to="one")))

        async def listed() -> bool:
            return bool(await runs.releases(self._client, environment))

        self.do(until(listed))

    def do(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self._runner.run(awaited())

    def close(self) -> None:
        self._runner.close()


class Site:
    """One web server with a state directory of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.port = free_port()
        self._up = contextlib.ExitStack()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page_of(self, run: RunRequest) -> str:
        return f"{self.url}/runs/{quote(run.workflow_id, safe='/@')}"

    def start(self) -> None:
        app: FastAPI = create_app(self.settings)
        self._up.enter_context(live(app, self.port))

    def stop(self) -> None:
        self._up.close()

    @cached_property
    def records(self) -> Records:
        return Records(self.settings.database)

    @cached_property
    def log(self) -> Path:
        path = self.settings.layout.logs / LOG
        path.parent.mkdir(parents=True)
        return path

    def write(self, *texts: str) -> None:
        """Lines of output, as the step's process wrote them."""
        with self.log.open("a", encoding="utf-8") as file:
            file.writelines(f"2026-11-23T17:56:01.{number % 1000:03d}Z {text}\n" for number, text in enumerate(texts))
