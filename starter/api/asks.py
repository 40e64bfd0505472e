"""What people ask of runs, rollouts and environments. The guard has seen their token; `actor` is who they say they are."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from pipelines.messages.common import Message
from pipelines.messages.deploy import RollbackRequest, Ticket
from pipelines.messages.runs import Abort, Answer, Approve, EnvironmentView, Pause, Promote, Resume, Retry, Skip
from starter import runs
from starter.api.refs import ROLLOUT, RUN
from starter.api.site import TheClient, TheSite
from starter.runs import Started

router = APIRouter()


class _Body(Message, defer_build=False):
    """FastAPI wants to know the fields at once."""


class Approving(Approve, _Body):
    pass


class Aborting(Abort, _Body):
    """`stage`: only the rollout of that stage."""

    stage: str = ""


class Pausing(Pause, _Body):
    """`stage`: which stage's rollout, when it is not the only one."""

    stage: str = ""


class Resuming(Resume, _Body):
    stage: str = ""


class Promoting(Promote, _Body):
    stage: str = ""


class Retrying(Retry, _Body):
    pass


class Skipping(Skip, _Body):
    pass


class BackTo(_Body):
    """`to`: release id; None is the one before the present one. Younger than `window` seconds: without pauses."""

    to: str | None = None
    actor: str = "unknown"
    reason: str = ""
    window: float = Field(86400.0, ge=0)


def left_out(body: type[_Body]) -> Any:
    """The body may be missing: nobody in particular asks then, and for no reason."""
    return Body(default_factory=body)


@router.post(f"{RUN}/approve")
@router.post(f"{ROLLOUT}/approve")
async def approve(site: TheSite, client: TheClient, ref: str, asked: Annotated[Approving, left_out(Approving)]) -> Answer:
    """`approved` false is a rejection."""
    return await site.changed(runs.approve(client, ref, asked))


@router.post(f"{RUN}/abort")
@router.post(f"{ROLLOUT}/abort")
async def abort(site: TheSite, client: TheClient, ref: str, asked: Annotated[Aborting, left_out(Aborting)]) -> Answer:
    return await site.changed(runs.abort(client, ref, asked, asked.stage))


@router.post(f"{RUN}/pause")
@router.post(f"{ROLLOUT}/pause")
async def pause(site: TheSite, client: TheClient, ref: str, asked: Annotated[Pausing, left_out(Pausing)]) -> Answer:
    return await site.changed(runs.pause(client, ref, asked, asked.stage))


@router.post(f"{RUN}/resume")
@router.post(f"{ROLLOUT}/resume")
async def resume(site: TheSite, client: TheClient, ref: str, asked: Annotated[Resuming, left_out(Resuming)]) -> Answer:
    return await site.changed(runs.resume(client, ref, asked, asked.stage))


@router.post(f"{RUN}/promote")
@router.post(f"{ROLLOUT}/promote")
async def promote(site: TheSite, client: TheClient, ref: str, asked: Annotated[Promoting, left_out(Promoting)]) -> Answer:
    """Skips the present pause; `full`: all that is left of the plan."""
    return await site.changed(runs.promote(client, ref, asked, asked.stage))


@router.post(f"{RUN}/retry")
async def retry(site: TheSite, client: TheClient, ref: str, asked: Annotated[Retrying, left_out(Retrying)]) -> Answer | Started:
    """Of a held run: an answer. A run that had ended is started again."""
    return await site.changed(runs.retry(client, ref, asked))


@router.post(f"{RUN}/skip")
async def skip(site: TheSite, client: TheClient, ref: str, asked: Skipping) -> Answer:
    return await site.changed(runs.skip(client, ref, asked))


@router.get("/api/environments")
async def environments(client: TheClient, environment: str = "", service: str = "") -> list[EnvironmentView]:
    """What runs where, what ran before and what is under way."""
    return await runs.releases(client, environment, service)


@router.post("/api/environments/{environment}/{service}/rollback")
async def rollback(client: TheClient, environment: str, service: str, asked: Annotated[BackTo, left_out(BackTo)]) -> Ticket:
    """The ticket names the rollout that brings the earlier release back. Raises NotFound for a place without releases."""
    place = await runs.the_place(client, environment, service)
    return await runs.rollback(client, RollbackRequest(place=place, **asked.model_dump()))
