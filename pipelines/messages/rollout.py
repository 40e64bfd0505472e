"""Input of a RolloutWorkflow and what it hands to its next execution."""

from __future__ import annotations

from pydantic import Field

from pipelines.analysis.tally import Tally
from pipelines.messages.common import Message
from pipelines.messages.deploy import Place, Release, RolloutRequest, RolloutResult, RolloutStatus, Served, Withdrawal
from pipelines.messages.runs import VerdictPoint, WeightPoint
from pipelines.rollouts.base import Planned, State


class Carry(Message):
    """A rollout's memory across continue-as-new. `spent` are the seconds of the deadline used up so far."""

    state: State
    started_at: float
    revision: int = 0
    spent: float = 0.0
    entered: float = Field(0.0, description="when the current move was begun")
    current: Planned | None = None
    paused_by: str = ""
    approvals: list[str] = Field(default_factory=list)
    weights: list[WeightPoint] = Field(default_factory=list)
    verdicts: list[VerdictPoint] = Field(default_factory=list)
    background: Tally = Tally()
    since: float = 0.0
    ending: RolloutStatus = Field("rolled-back", description="what it is called when it goes back")
    address: str = ""
    preview_address: str = ""


class RolloutInput(Message):
    """`fast`: without pauses and analyses, for the way back to a release that has served before."""

    request: RolloutRequest
    stable: Release | None = None
    fast: bool = False
    carry: Carry | None = None


class EnvironmentState(Message):
    """An environment's memory: what runs and ran, what waits, and who has been answered what. Start it with a place alone."""

    place: Place
    served: list[Served] = Field(default_factory=list, description="newest first; the first one is stable")
    number: int = 0
    queue: list[RolloutRequest] = Field(default_factory=list)
    numbers: dict[str, int] = Field(default_factory=dict, description="request id to number of its rollout")
    results: list[RolloutResult] = Field(default_factory=list, description="the newest 50")
    withdrawn: list[Withdrawal] = Field(default_factory=list, description="not asked for yet when they came; the newest 50")
    loaded: bool = False
