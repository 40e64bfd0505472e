"""Finding runs: lists by attribute, and the one that a short name means."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from pipelines import attributes
from pipelines.errors import Conflict, NotFound, UserError
from pipelines.messages.common import RunRequest, Status
from starter.runs.models import RunSummary
from starter.runs.start import MEMO, WORKFLOW
from starter.temporal_errors import translated

_RUN_ID = re.compile(r"^[^/]+/(?P<repo>.+)/(?P<sha>[0-9a-f]{40}|[0-9a-f]{64})/(?P<pipeline>[^/@]+)(?:@(?P<ref>[^/]+))?$")
_REPO_AND_SHA = re.compile(r"^(?P<repo>[^@]+/[^@]+)@(?P<sha>[0-9a-f]{4,64})$")
_SHA = re.compile(r"^[0-9a-f]{4,64}$")
_CLOSED = {
    WorkflowExecutionStatus.COMPLETED: Status.passed,
    WorkflowExecutionStatus.FAILED: Status.failed,
    WorkflowExecutionStatus.TIMED_OUT: Status.failed,
    WorkflowExecutionStatus.CANCELED: Status.cancelled,
    WorkflowExecutionStatus.TERMINATED: Status.cancelled,
}
CANDIDATES = 20


def quoted(text: str) -> str:
    """A literal of Temporal's query language. Raises UserError for what could leave it."""
    if re.search(r"[\"'\\\x00-\x1f]", text):
        raise UserError(f"{text!r} has quotes, backslashes or control characters, which names do not have")
    return f"'{text}'"


async def list_runs(
    client: Client,
    *,
    repo: str = "",
    branch: str = "",
    sha: str = "",
    service: str = "",
    status: str = "",
    limit: int = 30,
) -> list[RunSummary]:
    """Newest first, one entry per run even if it was executed several times. When there are more than `limit`, those that have
    not ended come before others. `sha` may be a prefix. Raises Unavailable."""
    equal = {
        attributes.REPO: repo,
        attributes.BRANCH: branch,
        attributes.SERVICE: service,
        attributes.STATUS: status,
    }
    terms = [f"WorkflowType = '{WORKFLOW}'", *(f"{name} = {quoted(value)}" for name, value in equal.items() if value)]
    if sha:
        terms.append(f"{attributes.SHA} STARTS_WITH {quoted(sha)}")
    found: dict[str, RunSummary] = {}
    with translated("the list of runs"):
        async for execution in _executions(client, " AND ".join(terms), page=max(20, min(limit, 200))):
            if execution.id not in found:
                found[execution.id] = await summary(execution)
            if len(found) >= limit:
                break
    return sorted(found.values(), key=lambda run: run.started_at, reverse=True)


def _executions(client: Client, query: str, page: int) -> AsyncIterator[WorkflowExecution]:
    return client.list_workflows(query, page_size=page)


async def summary(execution: WorkflowExecution) -> RunSummary:
    """From what Temporal's visibility has: attributes, memo and id."""
    request = await request_of(execution)
    return RunSummary(
        run_id=execution.id,
        execution=execution.run_id,
        repo=request.repo,
        branch=request.branch,
        sha=request.sha,
        pipeline=request.pipeline,
        service=_attribute(execution, attributes.SERVICE),
        title=request.title,
        actor=request.actor,
        event=request.event,
        status=status_of(execution),
        started_at=execution.start_time.timestamp(),
        finished_at=execution.close_time.timestamp() if execution.close_time else None,
    )


async def request_of(execution: WorkflowExecution) -> RunRequest:
    """The request that started the run; of a run started by hand in Temporal's UI, what its id says."""
    request: RunRequest | None = await execution.memo_value(MEMO, None, type_hint=RunRequest)
    if request:
        return request
    parts = _RUN_ID.match(execution.id)
    named = parts.groupdict(default="") if parts else {"repo": execution.id, "sha": "", "pipeline": ""}
    return RunRequest(**named, provider=execution.id.split("/")[0], clone_url="", actor="")


def status_of(execution: WorkflowExecution) -> Status:
    """The attribute that the workflow keeps, unless Temporal closed it over the workflow's head."""
    known = _attribute(execution, attributes.STATUS)
    status = next((each for each in Status if each == known), Status.running)
    closed = _CLOSED.get(execution.status) if execution.status else None
    return closed if closed and not status.final else status


def _attribute(execution: WorkflowExecution, name: str) -> str:
    pairs = execution.typed_search_attributes.search_attributes
    return next((str(pair.value) for pair in pairs if pair.key.name == name), "")


async def resolve(client: Client, ref: str) -> str:
    """Workflow id of the run or rollout that `ref` means: an id, the beginning of a commit, or owner/name@commit.

    Raises NotFound, Conflict when it means several (they are listed), UserError when it is no reference at all.
    """
    if ref.startswith(("rollout/", "environment/")) or _RUN_ID.match(ref):
        return ref
    named = _REPO_AND_SHA.match(ref)
    if not named and not _SHA.match(ref):
        forms = "a run's id, the first 4 or more characters of its commit, owner/name@commit, or a rollout's id"
        raise UserError(f"'{ref}' names no run", f"Write {forms}; 'switchyard runs' lists them")
    repo, sha = (named["repo"], named["sha"]) if named else ("", ref)
    return _only(ref, await list_runs(client, repo=repo, sha=sha, limit=CANDIDATES))


def _only(ref: str, found: list[RunSummary]) -> str:
    if not found:
        raise NotFound(f"no run of a commit {ref}", "'switchyard runs' lists what there is")
    if len(found) > 1:
        raise Conflict(f"'{ref}' means several runs: {', '.join(run.run_id for run in found)}", "Give one of these ids")
    return found[0].run_id
