"""Environments: what runs where, and the way back to an earlier release."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from pipelines.errors import Conflict, NotFound
from pipelines.messages.common import Message
from pipelines.messages.deploy import Place, RollbackRequest, Ticket
from pipelines.messages.runs import EnvironmentView, environment_workflow_id
from starter.runs.find import quoted
from starter.runs.view import query
from starter.temporal_errors import translated

WORKFLOW = "EnvironmentWorkflow"
QUEUE = "deploy"
UPDATE_SECONDS = 15.0


class Beginning(Message):
    """An EnvironmentState with a place alone; that class would bring the planners of rollouts into every short command."""

    place: Place


async def places(client: Client, environment: str = "", service: str = "") -> list[Place]:
    """Where something was ever released, in order of environment and service. Raises Unavailable."""
    terms = [f"WorkflowType = '{WORKFLOW}'"]
    if environment:
        terms.append(f"WorkflowId STARTS_WITH {quoted(f'environment/{environment}/')}")
    with translated("the list of environments"):
        ids = {execution.id async for execution in client.list_workflows(" AND ".join(terms), page_size=100)}
    found = [Place(environment=parts[1], service=parts[2]) for each in sorted(ids) if len(parts := each.split("/", 2)) == 3]
    return [place for place in found if service in ("", place.service)]


async def releases(client: Client, environment: str = "", service: str = "") -> list[EnvironmentView]:
    """The environments' own views: the stable release, the history (newest first) and what is under way. Raises Unavailable."""
    return [
        await query(client, environment_workflow_id(place.environment, place.service), EnvironmentView)
        for place in await places(client, environment, service)
    ]


async def the_place(client: Client, environment: str, service: str = "") -> Place:
    """The one service of an environment; `service` says which, if there are several. Raises NotFound, Conflict."""
    found = await places(client, environment, service)
    if not found:
        what = f"service '{service}' in environment '{environment}'" if service else f"environment '{environment}'"
        raise NotFound(f"nothing was released: no {what}", "'switchyard releases' lists what there is")
    if len(found) > 1:
        names = ", ".join(place.service for place in found)
        raise Conflict(f"environment '{environment}' has several services: {names}", "Say which with --service")
    return found[0]


async def rollback(client: Client, asked: RollbackRequest) -> Ticket:
    """Ask the environment to return to an earlier release; the ticket names the rollout that does it.

    Raises NotFound or Conflict in the environment's words, Unavailable.
    """
    request = asked if asked.request_id else asked.model_copy(update={"request_id": uuid.uuid4().hex})
    workflow_id = environment_workflow_id(asked.place.environment, asked.place.service)
    begin: WithStartWorkflowOperation[Any, None] = WithStartWorkflowOperation(
        WORKFLOW,
        Beginning(place=asked.place),
        id=workflow_id,
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"{asked.place.service} in {asked.place.environment}",
    )
    with translated(f"rollback of {asked.place.key}"):
        ticket: Ticket = await client.execute_update_with_start_workflow(
            "rollback",
            request,
            start_workflow_operation=begin,
            id=f"rollback-{request.request_id}",
            result_type=Ticket,
            rpc_timeout=timedelta(seconds=UPDATE_SECONDS),
        )
        return ticket
