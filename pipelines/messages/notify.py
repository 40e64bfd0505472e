"""What leaves: notifications to people, events to other systems; and what is recorded about runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.messages.common import Message, Status

Level = Literal["info", "success", "warning", "error"]


class Notification(Message):
    """To people. `key` makes delivering it twice one message where the channel can."""

    key: str
    channel: str = Field("default", description="console, slack, email, github ...; default: all configured")
    level: Level = "info"
    title: str
    text: str = ""
    links: dict[str, str] = Field(default_factory=dict)


class Event(Message):
    """To systems, CloudEvents-like; `type` and `data` as in pipelines/events.py."""

    id: str
    type: str
    version: int = 1
    subject: str
    time: float
    data: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


class Delivery(Message):
    """One thing to deliver until it is delivered."""

    notification: Notification | None = None
    event: Event | None = None


class RunRecord(Message):
    """Written when a run starts, changes status and ends; the last one wins. Times in Unix seconds."""

    run_id: str
    execution: str
    repo: str
    branch: str = ""
    sha: str
    service: str = ""
    pipeline: str = "default"
    event: str = ""
    actor: str = ""
    title: str = ""
    status: Status
    reason: str = ""
    started_at: float = 0.0
    finished_at: float | None = None
    committed_at: float = 0.0
    version: str = ""


class DeploymentRecord(Message):
    """One rollout, for releases, DORA figures and retention. `promoted_at` None: it never took all traffic."""

    key: str
    environment: str
    service: str
    release_id: str
    digest: str
    version: str = ""
    sha: str = ""
    run_id: str = ""
    strategy: str = ""
    status: str = Field(description="started, promoted, rolled-back, aborted, superseded, unchanged or failed")
    reason: str = ""
    started_at: float = 0.0
    finished_at: float | None = None
    committed_at: float = 0.0
    previous: str = Field("", description="release id that was stable before")
    release_json: str = Field("", description="the Release as JSON, so that it can be returned to")
    rollback: bool = False
