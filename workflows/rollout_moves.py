"""How each move of a rollout is made: one method per move, called by the RolloutWorkflow."""

from __future__ import annotations

from temporalio import workflow

from pipelines.messages.deploy import CheckInput, EnsureInput, Release, RetireInput, RouteInput
from pipelines.messages.rollout import RolloutInput
from pipelines.messages.runs import WeightPoint
from pipelines.ports import ENSURE_RELEASE, RETIRE_RELEASE, ROUTE, RUN_CHECKS
from pipelines.rollouts.base import Check, Ensure, Preview, Retire, State, Weight
from pipelines.spec.rollout import BlueGreenSpec
from workflows.calls import call, refuse


class Hands:
    """Moves things outside; remembers where the traffic went and what the addresses are."""

    def __init__(self, given: RolloutInput) -> None:
        carry = given.carry
        self._given = given
        self._spec = given.request.spec
        self.candidate = given.request.release
        self.stable = given.stable
        self.revision = carry.revision if carry else 0
        self.weights: list[WeightPoint] = list(carry.weights) if carry else []
        self.address = carry.address if carry else ""
        self.preview_address = carry.preview_address if carry else ""

    async def ensure(self, move: Ensure) -> None:
        release = self._release(move.track)
        summary = f"{move.track} {release.id}: {move.replicas} ready replicas"
        await call(ENSURE_RELEASE, EnsureInput(release=release, replicas=move.replicas, drain=self._spec.drain), summary)

    async def weigh(self, move: Weight, state: State) -> None:
        """The whole routing is sent, so that doing it twice is doing it once."""
        await self._route(move.candidate, state.world.preview and move.candidate < 100)
        self.weights.append(
            WeightPoint(at=workflow.time(), weight=move.candidate, note=state.reason if state.intent == "rollback" else "")
        )

    async def preview(self, move: Preview, state: State) -> None:
        await self._route(state.world.weight, move.on)

    async def _route(self, weight: int, preview: bool) -> None:
        self.revision += 1
        route = RouteInput(
            place=self.candidate.place,
            weights=self._shares(weight),
            preview=self.candidate.id if preview else None,
            revision=self.revision,
            rollout=workflow.info().workflow_id,
        )
        routed = await call(ROUTE, route, f"traffic: {weight} % to {self.candidate.id}")
        self.address, self.preview_address = routed.address, routed.preview_address

    def _shares(self, weight: int) -> dict[str, int]:
        """Percent by release; without a stable release nothing is left to send traffic to when the candidate gets none."""
        shares = {self.candidate.id: weight}
        if self.stable:
            shares[self.stable.id] = 100 - weight
        return {release: share for release, share in shares.items() if share}

    async def check(self, move: Check) -> None:
        """Raises ApplicationError naming the checks that did not pass."""
        spec = self._spec
        if not isinstance(spec, BlueGreenSpec):
            return
        before = move.phase == "before"
        wanted = CheckInput(
            place=self.candidate.place,
            checks=spec.pre_promotion_checks if before else spec.post_promotion_checks,
            preview=before,
            run_id=self.candidate.run_id,
        )
        outcome = await call(RUN_CHECKS, wanted, f"checks {move.phase} the switch")
        if not outcome.passed:
            raise refuse(f"checks {move.phase} the switch failed: {'; '.join(outcome.lines)}", "ReleaseUnhealthy")

    async def retire(self, move: Retire) -> None:
        release = self._release(move.track)
        retire = RetireInput(place=release.place, release_id=release.id, drain=self._spec.drain)
        await call(RETIRE_RELEASE, retire, f"drain and remove {release.id}")

    def _release(self, track: str) -> Release:
        if track == "candidate":
            return self.candidate
        if self.stable is None:
            raise refuse("this rollout has no stable release")
        return self.stable
