"""Starting a run, exactly once for a commit and a pipeline."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from pipelines import attributes
from pipelines.messages.common import RunRequest, Status
from starter.runs.models import Started
from starter.temporal_errors import translated

WORKFLOW = "PipelineWorkflow"
QUEUE = "build"
MEMO = "run"
"""The request itself rides along, so that lists and a run without a worker can show it."""


async def start(client: Client, request: RunRequest, *, again: bool = False) -> Started:
    """Start the run, or find it running or passed: an event that comes twice is one run, one that failed runs again.

    `again`: also when it has passed. Raises Unavailable.
    """
    reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE if again else WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    try:
        with translated(request.workflow_id):
            handle = await client.start_workflow(
                WORKFLOW,
                request,
                id=request.workflow_id,
                task_queue=QUEUE,
                id_reuse_policy=reuse,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                search_attributes=_attributes(request),
                memo={MEMO: request},
                static_summary=_summary(request),
                static_details=_details(request),
            )
    except WorkflowAlreadyStartedError as error:
        return Started(run_id=request.workflow_id, execution=error.run_id or "", already=True)
    return Started(run_id=request.workflow_id, execution=handle.result_run_id or "")


def _attributes(request: RunRequest) -> TypedSearchAttributes:
    values = {
        attributes.REPO: request.repo,
        attributes.BRANCH: request.branch,
        attributes.SHA: request.sha,
        attributes.STATUS: Status.pending.value,
    }
    return TypedSearchAttributes(
        [SearchAttributePair(SearchAttributeKey.for_keyword(name), value) for name, value in values.items() if value]
    )


def _summary(request: RunRequest) -> str:
    title = " ".join(request.title.split())
    return f"{request.repo}@{request.sha[:7]} {title}"[:200].strip()


def _details(request: RunRequest) -> str:
    """Markdown for Temporal's UI."""
    facts = {
        "Repository": request.repo,
        "Commit": request.sha,
        "Branch": request.branch,
        "Tag": request.tag or "",
        "Event": request.event,
        "By": request.actor,
        "Pipeline": request.pipeline,
    }
    return "\n".join(f"- **{name}**: {value}" for name, value in facts.items() if value)
