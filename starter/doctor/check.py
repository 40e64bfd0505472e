"""One thing that was looked at."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.messages.common import Message


class Check(Message):
    """`bad`: something needed does not work. `warn`: something that only part of the product or its tests needs."""

    name: str
    state: Literal["ok", "warn", "bad"]
    found: str
    remedy: str = Field("", description="the command that mends it")
