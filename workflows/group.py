"""GroupWorkflow: a concurrency group. Its members have their turn one after another, in the order they came."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from pipelines.messages.group import GroupMember, GroupState
    from pipelines.ports import MEMBER_ALIVE
    from workflows.calls import call

LOOK = 5.0
"""Seconds between looks whether the member whose turn it is still runs, while others wait."""


@workflow.defn(name="GroupWorkflow")
class GroupWorkflow:
    """Signals: join, leave. A member hears 'group_turn' when its turn has come. Ends when nobody is left."""

    @workflow.init
    def __init__(self, state: GroupState) -> None:
        self._group = state.group
        self._members = list(state.members)

    @workflow.run
    async def run(self, state: GroupState) -> None:
        await workflow.wait_condition(lambda: bool(self._members))
        while self._members:
            await self._turn(self._members[0])
            await workflow.wait_condition(workflow.all_handlers_finished)
            if workflow.info().is_continue_as_new_suggested() and self._members:
                workflow.continue_as_new(GroupState(group=self._group, members=self._members))

    async def _turn(self, member: GroupMember) -> None:
        """Until the member leaves or turns out to be gone."""
        self._show()
        if await self._tell(member):
            await self._until_left(member)
        self._members = [other for other in self._members if other != member]

    async def _until_left(self, member: GroupMember) -> None:
        """While nobody waits it matters to nobody whether the member still runs."""
        while member in self._members:
            await workflow.wait_condition(lambda: member not in self._members or len(self._members) > 1)
            try:
                await workflow.wait_condition(
                    lambda: member not in self._members,
                    timeout=LOOK,
                    timeout_summary=f"until {member.workflow_id} is looked after",
                )
            except TimeoutError:
                if not (await call(MEMBER_ALIVE, member, f"does {member.workflow_id} still run?", attempts=0)).running:
                    return

    async def _tell(self, member: GroupMember) -> bool:
        try:
            await workflow.get_external_workflow_handle(member.workflow_id).signal("group_turn", member)
        except ApplicationError:
            return False
        return True

    @workflow.signal
    async def join(self, member: GroupMember) -> None:
        """Joining twice keeps the first place and tells the turn again. A workflow never cancels itself."""
        if member.key in [other.key for other in self._members]:
            if self._members[0].key == member.key:
                await self._tell(member)
            return
        others = [other for other in self._members if other.workflow_id != member.workflow_id]
        earlier = others if member.policy == "cancel-in-progress" else []
        self._members.append(member)
        for other in earlier:
            await self._cancel(other)
        self._show()

    async def _cancel(self, member: GroupMember) -> None:
        try:
            await workflow.get_external_workflow_handle(member.workflow_id).cancel()
        except ApplicationError:
            workflow.logger.info("%s had ended already", member.workflow_id)

    @workflow.signal
    async def leave(self, member: GroupMember) -> None:
        self._members = [other for other in self._members if other.key != member.key]

    @workflow.query
    def view(self) -> GroupState:
        return GroupState(group=self._group, members=self._members)

    def _show(self) -> None:
        lines = [f"{number}. `{member.workflow_id}` {member.token}" for number, member in enumerate(self._members, 1)]
        workflow.set_current_details("\n".join([f"Turn and queue of **{self._group}**", "", *lines]))
