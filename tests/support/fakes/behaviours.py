"""What a faked activity can do instead of succeeding. A behaviour gets the call and what would happen without it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import BaseModel
from temporalio import activity

from pipelines.errors import WorkspaceLost
from pipelines.messages.build import StepResult
from pipelines.messages.common import Status

if TYPE_CHECKING:
    from tests.support.fakes.world import Call

Default = Callable[[], Awaitable[BaseModel]]
Behaviour = Callable[["Call", Default], Awaitable[BaseModel]]

BEAT = 0.03
"""Seconds between heartbeats, by which a fake also hears that it is cancelled."""


class Gate:
    """Holds up activities until `open`; `reached` once one waits there."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.waiting = 0

    def open(self) -> None:
        self._event.set()

    async def passed(self) -> None:
        """Heartbeats while it waits. Raises CancelledError when the activity is cancelled."""
        self.waiting += 1
        try:
            while not self._event.is_set():
                activity.heartbeat()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._event.wait(), BEAT)
        finally:
            self.waiting -= 1


async def passes(call: Call, default: Default) -> BaseModel:
    return await default()


def fails(message: str = "exit status 1", exit_code: int = 1) -> Behaviour:
    """The step was done and its answer is no."""

    async def behave(call: Call, default: Default) -> BaseModel:
        result = await default()
        assert isinstance(result, StepResult)
        return result.model_copy(update={"status": Status.failed, "message": message, "exit_code": exit_code})

    return behave


def raises(error: Exception) -> Behaviour:
    async def behave(call: Call, default: Default) -> BaseModel:
        raise error

    return behave


def breaks(error: Exception) -> Behaviour:
    """The effect happens, its answer does not arrive: what a killed worker leaves."""

    async def behave(call: Call, default: Default) -> BaseModel:
        await default()
        raise error

    return behave


def answers(result: BaseModel) -> Behaviour:
    async def behave(call: Call, default: Default) -> BaseModel:
        return result

    return behave


def waits(gate: Gate, then: Behaviour = passes) -> Behaviour:
    """Slow until told."""

    async def behave(call: Call, default: Default) -> BaseModel:
        await gate.passed()
        return await then(call, default)

    return behave


def falls_silent(seconds: float = 60.0) -> Behaviour:
    """No answer and no heartbeat for so long: as if its process were stopped."""

    async def behave(call: Call, default: Default) -> BaseModel:
        await asyncio.sleep(seconds)
        return await default()

    return behave


def loses_host(to: str = "b") -> Behaviour:
    """The workspace is gone under the activity; whoever opens one from now on gets it on host `to`."""

    async def behave(call: Call, default: Default) -> BaseModel:
        call.world.move_to(to)
        raise WorkspaceLost("the workspace is no longer on this host", "Retry the stage")

    return behave


def times(count: int, behaviour: Behaviour) -> list[Behaviour]:
    return [behaviour] * count
