"""Looking at runs: lists, one run, and the evidence that it left."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from activities.records.audit import AuditEntry
from pipelines.errors import SwitchyardError
from pipelines.messages.common import Message
from pipelines.messages.quality import Finding, TestCase
from pipelines.messages.runs import RunView
from starter import runs
from starter.api.refs import RUN
from starter.api.site import Site, TheClient, TheSite
from starter.records import LateRecords
from starter.runs import RunSummary, Waiting

GATE_ACTIONS = ("gate.passed", "gate.refused")
router = APIRouter()


class FoundIssues(Message):
    """`tools` have reported, with or without findings; `unavailable` says why others could not."""

    findings: list[Finding] = Field(default_factory=list)
    tools: list[str] = Field(default_factory=list)
    unavailable: dict[str, str] = Field(default_factory=dict)


class Decision(Message):
    """A line of the audit trail. `at` in Unix seconds."""

    at: float
    action: str
    actor: str
    reason: str = ""
    evidence: dict[str, str] = Field(default_factory=dict)


@router.get("/api/runs")
async def list_runs(
    client: TheClient,
    repo: str = "",
    branch: str = "",
    service: str = "",
    status: str = "",
    sha: Annotated[str, Query(pattern="^[0-9a-f]*$", description="beginning of a commit id")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 30,
) -> list[RunSummary]:
    """Newest first."""
    return await runs.list_runs(client, repo=repo, branch=branch, service=service, status=status, sha=sha, limit=limit)


@router.get(RUN)
async def show(site: TheSite, ref: str) -> RunView:
    return await site.runs.of(await site.run_id(ref))


@router.get(f"{RUN}/waiting")
async def waiting(site: TheSite, client: TheClient, ref: str) -> list[Waiting]:
    """What of the run waits for people, and which workflow takes the answer."""
    return await runs.find_waiting(client, await site.runs.of(await site.run_id(ref)))


@router.get(f"{RUN}/findings")
async def findings(site: TheSite, ref: str, stage: str | None = None) -> FoundIssues:
    run_id = await site.run_id(ref)

    def read(late: LateRecords) -> FoundIssues:
        known = late.records.findings
        return FoundIssues(
            findings=known.of_run(run_id, stage), tools=known.tools_of_run(run_id), unavailable=known.unavailable_of_run(run_id)
        )

    return await site.read(read)


@router.get(f"{RUN}/tests")
async def tests(site: TheSite, ref: str, stage: str | None = None) -> list[TestCase]:
    """Every test case that the run has reported."""
    run_id = await site.run_id(ref)
    return await site.read(lambda late: late.records.tests.of_run(run_id, stage))


@router.get(f"{RUN}/gates")
async def gates(site: TheSite, ref: str) -> list[Decision]:
    """The decisions of the run's gates with their evidence, oldest first; `evidence.stage` names the stage."""
    run_id = await site.run_id(ref)
    entries = await site.read(lambda late: late.records.audit.of(run_id))
    return [_decision(entry) for entry in entries if entry.audit.action in GATE_ACTIONS]


@router.get(f"{RUN}/audit")
async def audit(site: TheSite, ref: str) -> list[Decision]:
    """Who did what with the run and its rollouts, and why; oldest first."""
    run_id = await site.run_id(ref)
    rollouts = await _rollouts(site, run_id)

    def read(late: LateRecords) -> list[AuditEntry]:
        audit = late.records.audit
        return [*audit.of(run_id), *(entry for rollout in rollouts for entry in audit.by_workflow(rollout))]

    return [_decision(entry) for entry in sorted(await site.read(read), key=lambda entry: entry.seq)]


async def _rollouts(site: Site, run_id: str) -> list[str]:
    """None while nobody can say: the run's own trail is worth showing then too."""
    try:
        view = await site.runs.of(run_id)
    except SwitchyardError:
        return []
    return [stage.rollout_id for stage in view.stages if stage.rollout_id]


def _decision(entry: AuditEntry) -> Decision:
    return Decision(at=entry.at, **entry.audit.model_dump(include={"action", "actor", "reason", "evidence"}))
