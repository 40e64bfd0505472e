"""What the requests of one web server share; `request.app.state.site` for whoever has no dependency injection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from temporalio.client import Client

from pipelines.errors import NotFound
from pipelines.messages.notify import RunRecord
from pipelines.messages.runs import RolloutView, RunView
from pipelines.settings import Settings
from starter import runs
from starter.api.connection import Connection
from starter.api.views import Views
from starter.records import LateRecords
from starter.token import read_token

T = TypeVar("T")


class Site:
    """`stopping` is set when the server was asked to end: streams then end too, and clients come back to its successor."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.connection = Connection(settings)
        self.late = LateRecords(settings)
        self.stopping = asyncio.Event()
        self.runs: Views[RunView] = Views(self._run)
        self.rollouts: Views[RolloutView] = Views(self._rollout)
        self._token = ""

    async def client(self) -> Client:
        """Raises Unavailable when Temporal cannot be reached."""
        return await self.connection.client()

    async def read(self, work: Callable[[LateRecords], T]) -> T:
        """Ask the records in a thread. Raises NotFound when there are none yet, Unavailable, Busy."""
        return await asyncio.to_thread(work, self.late)

    async def run_id(self, ref: str) -> str:
        """The one run that a reference means. Raises NotFound, Conflict, UserError, Unavailable."""
        return await runs.resolve(await self.client(), ref)

    async def changed(self, asked: Awaitable[T]) -> T:
        """The answer to what somebody asked for; views that are older than that are shown no more."""
        try:
            return await asked
        finally:
            self.runs.forget()
            self.rollouts.forget()

    async def _run(self, run_id: str) -> RunView:
        client = await self.client()
        try:
            return await runs.describe(client, run_id)
        except NotFound:
            record = await self.read(lambda late: late.get(run_id))
            if record is None:
                raise
            return await runs.describe(client, run_id, _Remembered(record))

    async def _rollout(self, workflow_id: str) -> RolloutView:
        return await runs.rollout(await self.client(), workflow_id)

    async def token(self) -> str:
        """The token that writes need, '' when there is none; once there, it is the same until the process ends."""
        if not self._token:
            self._token = await asyncio.to_thread(read_token, self.settings)
        return self._token


class _Remembered:
    """A record that was read beforehand, off the event loop."""

    def __init__(self, record: RunRecord) -> None:
        self._record = record

    def get(self, run_id: str) -> RunRecord | None:
        return self._record if run_id == self._record.run_id else None


def site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


async def client_of(request: Request) -> Client:
    return await site_of(request).client()


TheSite = Annotated[Site, Depends(site_of)]
TheClient = Annotated[Client, Depends(client_of)]
