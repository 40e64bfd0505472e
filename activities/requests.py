"""Requests from one workflow to another that need an answer, or that must start the other."""

from __future__ import annotations

from typing import Any, Protocol

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.base import implements
from pipelines.errors import Conflict, Unavailable
from pipelines.messages.common import Nothing
from pipelines.messages.deploy import EnvironmentLoaded, Place, Release, RolloutRequest, Served, Ticket
from pipelines.messages.group import Alive, GroupMember, GroupState, group_workflow_id
from pipelines.messages.notify import DeploymentRecord
from pipelines.messages.rollout import EnvironmentState
from pipelines.messages.runs import environment_workflow_id
from pipelines.ports import JOIN_GROUP, LOAD_ENVIRONMENT, MEMBER_ALIVE, REQUEST_ROLLOUT
from pipelines.spec.rollout import RollingSpec

_ENDED = ("promoted", "rolled-back", "aborted", "superseded", "unchanged", "failed")


class Deployments(Protocol):
    """What the records know about rollouts of a place, newest first."""

    def of(self, environment: str, service: str) -> list[DeploymentRecord]: ...


class Requests:
    """Holds a Temporal client; every method can be repeated."""

    def __init__(self, client: Client, deployments: Deployments) -> None:
        self._client = client
        self._deployments = deployments

    @implements(REQUEST_ROLLOUT)
    async def request_rollout(self, request: RolloutRequest) -> Ticket:
        """Raises Conflict when the environment refuses, Unavailable when it does not answer.

        The update has no id of its own: Temporal would answer an equal one itself, and whoever asks again because the answer was
        lost must be heard by the environment, which knows its requests.
        """
        place = request.release.place
        start: WithStartWorkflowOperation[Any, None] = WithStartWorkflowOperation(
            "EnvironmentWorkflow",
            EnvironmentState(place=place),
            id=environment_workflow_id(place.environment, place.service),
            task_queue="deploy",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"{place.service} in {place.environment}",
        )
        try:
            ticket: Ticket = await self._client.execute_update_with_start_workflow(
                "request",
                request,
                start_workflow_operation=start,
                result_type=Ticket,
            )
            return ticket
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            raise Conflict(cause.message if isinstance(cause, ApplicationError) else str(cause)) from error
        except RPCError as error:
            raise Unavailable(f"environment {place.key} did not answer: {error.status.name}") from error

    @implements(JOIN_GROUP)
    async def join_group(self, member: GroupMember) -> Nothing:
        try:
            await self._client.start_workflow(
                "GroupWorkflow",
                GroupState(group=member.group),
                id=group_workflow_id(member.group),
                task_queue="build",
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal="join",
                start_signal_args=[member],
            )
        except RPCError as error:
            raise Unavailable(f"group {member.group} could not be joined: {error.status.name}") from error
        return Nothing()

    @implements(MEMBER_ALIVE)
    async def member_alive(self, member: GroupMember) -> Alive:
        try:
            found = await self._client.get_workflow_handle(member.workflow_id).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return Alive(running=False)
            raise Unavailable(f"{member.workflow_id} could not be looked up: {error.status.name}") from error
        return Alive(running=found.status == WorkflowExecutionStatus.RUNNING)

    @implements(LOAD_ENVIRONMENT)
    def load_environment(self, place: Place) -> EnvironmentLoaded:
        """The releases that were promoted and not turned back afterwards, and a rollout that never said its end."""
        records = self._deployments.of(place.environment, place.service)
        served = [served for record in records if (served := _served(record)) is not None]
        unfinished = next((record.key for record in records if record.status not in _ENDED or record.finished_at is None), "")
        count = max([len(records), *(_number(record.key) for record in records)])
        return EnvironmentLoaded(served=_newest_of_each(served), unfinished=unfinished, count=count)


def _number(rollout_id: str) -> int:
    """Of a rollout, from its workflow id; rollouts that never started have numbers too, but no records."""
    last = rollout_id.rpartition("/")[2]
    return int(last) if last.isdecimal() else 0


def _served(record: DeploymentRecord) -> Served | None:
    if record.status != "promoted" or not record.release_json:
        return None
    release = Release.model_validate_json(record.release_json)
    return Served(release=release, spec=RollingSpec(), since=record.started_at, until=record.finished_at)


def _newest_of_each(served: list[Served]) -> list[Served]:
    """Newest first, each release once, the first one without an end: it is what runs."""
    seen: dict[str, Served] = {}
    for entry in served:
        seen.setdefault(entry.release.id, entry)
    newest = list(seen.values())
    return [newest[0].model_copy(update={"until": None}), *newest[1:]] if newest else []
