"""Concurrency groups: workflows that must not run at the same time."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.messages.common import Message


class GroupMember(Message):
    """`token` tells two uses of a group by one workflow apart (a run and its stages)."""

    group: str
    workflow_id: str
    token: str = "run"  # noqa: S105
    policy: Literal["queue", "cancel-in-progress"] = "queue"

    @property
    def key(self) -> tuple[str, str]:
        return self.workflow_id, self.token


class Alive(Message):
    running: bool


class GroupState(Message):
    """The first of `members` has the turn; the others wait in order."""

    group: str
    members: list[GroupMember] = Field(default_factory=list)


def group_workflow_id(group: str) -> str:
    return f"group/{group}"
