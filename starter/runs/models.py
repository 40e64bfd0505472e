"""What the ways in hand to their callers beside the workflows' own views."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.messages.common import Message, Status


class Started(Message):
    """`already`: the run was there before, running or passed, and nothing was started."""

    run_id: str
    execution: str = Field(description="Temporal's id of this execution of the run")
    already: bool = False


class RunSummary(Message):
    """One line of a list of runs. Times in Unix seconds."""

    run_id: str
    execution: str = ""
    repo: str = ""
    branch: str = ""
    sha: str = ""
    pipeline: str = ""
    service: str = ""
    title: str = ""
    actor: str = ""
    event: str = ""
    status: Status
    started_at: float = 0.0
    finished_at: float | None = None


class Waiting(Message):
    """Something that waits for people: which workflow takes the answer, and what for."""

    workflow_id: str
    stage: str
    kind: Literal["approval", "rollout", "held"]
    text: str = ""
