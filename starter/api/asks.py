"""What people ask of runs, rollouts and environments. The guard has seen their token; `actor` is who they say they are."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from pipelines.messages.common import Message
from pipelines.messages.deploy import Place, RollbackRequest, Ticket
from pipelines.messages.runs import Abort, Answer, Approve, EnvironmentView, Pause, Promote, Resume, Retry, Skip
from starter import runs
from starter.api.refs import ROLLOUT, RUN
from starter.api.site import TheClient
from starter.runs import Started

router = APIRouter()


class StageAbort(Abort):
    """`stage`: only the rollout of that stage."""

    stage: str = ""


class StagePause(Pause):
    stage: str = ""


class StageResume(Resume):
    stage: str = ""


class StagePromote(Promote):
    stage: str = ""


class BackTo(Message):
    """`to`: release id; None is the one before the present one. Younger than `window` seconds: without pauses."""

    to: str | None = None
    actor: str = "unknown"
    reason: str = ""
    window: float = Field(86400.0, ge=0)


@router.post(f"{RUN}/approve")
@router.post(f"{ROLLOUT}/approve")
async def approve(client: TheClient, ref: str, asked: Approve | None = None) -> Answer:
    """`approved` false is a rejection."""
    return await runs.approve(client, ref, asked or Approve())


@router.post(f"{RUN}/abort")
@router.post(f"{ROLLOUT}/abort")
async def abort(client: TheClient, ref: str, asked: StageAbort | None = None) -> Answer:
    asked = asked or StageAbort()
    return await runs.abort(client, ref, asked, asked.stage)


@router.post(f"{RUN}/pause")
@router.post(f"{ROLLOUT}/pause")
async def pause(client: TheClient, ref: str, asked: StagePause | None = None) -> Answer:
    asked = asked or StagePause()
    return await runs.pause(client, ref, asked, asked.stage)


@router.post(f"{RUN}/resume")
@router.post(f"{ROLLOUT}/resume")
async def resume(client: TheClient, ref: str, asked: StageResume | None = None) -> Answer:
    asked = asked or StageResume()
    return await runs.resume(client, ref, asked, asked.stage)


@router.post(f"{RUN}/promote")
@router.post(f"{ROLLOUT}/promote")
async def promote(client: TheClient, ref: str, asked: StagePromote | None = None) -> Answer:
    """Skips the present pause; `full`: all that is left of the plan."""
    asked = asked or StagePromote()
    return await runs.promote(client, ref, asked, asked.stage)


@router.post(f"{RUN}/retry")
async def retry(client: TheClient, ref: str, asked: Retry | None = None) -> Answer | Started:
    """Of a held run: an answer. A run that had ended is started again."""
    return await runs.retry(client, ref, asked or Retry())


@router.post(f"{RUN}/skip")
async def skip(client: TheClient, ref: str, asked: Skip) -> Answer:
    return await runs.skip(client, ref, asked)


@router.get("/api/environments")
async def environments(client: TheClient, environment: str = "", service: str = "") -> list[EnvironmentView]:
    """What runs where, what ran before and what is under way."""
    return await runs.releases(client, environment, service)


@router.post("/api/environments/{environment}/{service}/rollback")
async def rollback(client: TheClient, environment: str, service: str, asked: BackTo | None = None) -> Ticket:
    """The ticket names the rollout that brings the earlier release back. Raises NotFound for a place without releases."""
    place: Place = await runs.the_place(client, environment, service)
    return await runs.rollback(client, RollbackRequest(place=place, **(asked or BackTo()).model_dump()))
