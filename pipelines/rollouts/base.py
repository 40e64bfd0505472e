"""The state machine of a rollout, without I/O: what to do next is a function of the spec and the state.

A strategy gives the forward moves for the world that the rollout found. `plan` turns state into the moves that are left: the
rest of the forward moves, the shortest way to full promotion, or the way back. The way back is never stored: it is computed from
the world as it is, so it exists in every state and can be entered again at any time.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.messages.common import Message
from pipelines.messages.deploy import Track

Intent = Literal["advance", "promote", "rollback"]


class Ensure(Message):
    """Have exactly `replicas` ready replicas of the track."""

    kind: Literal["ensure"] = "ensure"
    track: Track
    replicas: int

    def words(self) -> str:
        return f"bring the {self.track} to {self.replicas} replica{'s' * (self.replicas != 1)}"


class Weight(Message):
    """Send `candidate` percent of the requests to the candidate, the rest to stable, and wait until it is served."""

    kind: Literal["weight"] = "weight"
    candidate: int

    def words(self) -> str:
        return f"send {self.candidate} % of the traffic to the candidate"


class Preview(Message):
    kind: Literal["preview"] = "preview"
    on: bool

    def words(self) -> str:
        return "open the preview address" if self.on else "close the preview address"


class Check(Message):
    """Run the spec's checks: `before` the switch on the preview address, `after` it on the service's own."""

    kind: Literal["check"] = "check"
    phase: Literal["before", "after"]

    def words(self) -> str:
        return f"run the checks {self.phase} the switch"


class Pause(Message):
    """`seconds` None: until people approve. `why` is what an inconclusive analysis said."""

    kind: Literal["pause"] = "pause"
    seconds: float | None = None
    why: str = ""

    def words(self) -> str:
        if self.seconds is not None:
            return f"wait {self.seconds:g} s"
        return f"wait for approval: {self.why}" if self.why else "wait for approval"


class Analyse(Message):
    """Measure `count` times and judge."""

    kind: Literal["analyse"] = "analyse"
    count: int

    def words(self) -> str:
        return f"analyse {self.count} measurement{'s' * (self.count != 1)}"


class Promote(Message):
    """The candidate is the environment's stable release from here on."""

    kind: Literal["promote"] = "promote"

    def words(self) -> str:
        return "make the candidate the stable release"


class Linger(Message):
    """Keep the old release running for an instant way back."""

    kind: Literal["linger"] = "linger"
    seconds: float

    def words(self) -> str:
        return f"keep the old release for {self.seconds:g} s"


class Retire(Message):
    kind: Literal["retire"] = "retire"
    track: Track

    def words(self) -> str:
        return f"drain and remove the {'old release' if self.track == 'stable' else 'candidate'}"


Move = Annotated[Ensure | Weight | Preview | Check | Pause | Analyse | Promote | Linger | Retire, Field(discriminator="kind")]


class World(Message):
    """What exists outside, as far as the rollout's finished moves have made it. Replica counts; weight in percent."""

    replicas: int = Field(description="what the candidate shall have in the end")
    has_stable: bool
    stable_replicas: int = 0
    stable: int = 0
    candidate: int = 0
    touched: bool = Field(False, description="something of the candidate may exist")
    weight: int = 0
    preview: bool = False
    promoted: bool = False
    stable_gone: bool = False
    candidate_gone: bool = False


class State(Message):
    """Everything a rollout must remember, so that it can go on in a new execution. `done` counts forward moves."""

    start: World
    world: World
    intent: Intent = "advance"
    done: int = 0
    hold: str = Field("", description="an inconclusive analysis that people must decide on before the next move")
    reason: str = ""


class Planned(Message):
    """A move and its place among the forward moves; None for moves of the way back and inserted holds."""

    move: Move
    index: int | None = None


def first_release(world: World) -> tuple[Move, ...]:
    """Nothing to compare with and nobody to protect: as in Argo Rollouts, the first release skips steps and pauses."""
    return Ensure(track="candidate", replicas=world.replicas), Weight(candidate=100), Promote()


def way_back(world: World) -> tuple[Move, ...]:
    """Traffic to stable before all else, then stable's capacity, then the candidate's removal.

    Only where stable has no replica left (a rolling update at its end) one must come first: no route points at nothing.
    """
    moves: list[Move] = []
    if world.has_stable and world.stable == 0 and world.weight > 0:
        moves.append(Ensure(track="stable", replicas=world.stable_replicas))
    if world.weight > 0:
        moves.append(Weight(candidate=0))
    if world.preview:
        moves.append(Preview(on=False))
    if world.has_stable and world.stable < world.stable_replicas and not (moves and moves[0].kind == "ensure"):
        moves.append(Ensure(track="stable", replicas=world.stable_replicas))
    if world.touched and not world.candidate_gone:
        moves.append(Retire(track="candidate"))
    return tuple(moves)


def shortcut(forward: tuple[Move, ...], done: int) -> list[Planned]:
    """What `promote --full` leaves of the forward moves: no pause, no analysis, no check, no partial weight."""
    last_full = max((i for i, move in enumerate(forward) if isinstance(move, Weight) and move.candidate == 100), default=-1)
    return [
        Planned(move=move, index=index)
        for index, move in enumerate(forward)
        if index >= done and not _skippable(move, index < last_full and not _is_rolling(forward))
    ]


def _is_rolling(forward: tuple[Move, ...]) -> bool:
    """Only a rolling plan moves stable's replicas; its partial weights are what keeps it safe."""
    return any(isinstance(move, Ensure) and move.track == "stable" for move in forward)


def _skippable(move: Move, before_full: bool) -> bool:
    if isinstance(move, Pause | Analyse | Check):
        return True
    return before_full and isinstance(move, Weight) and move.candidate < 100


def remaining(forward: tuple[Move, ...], state: State) -> list[Planned]:
    """The moves still to make, first one next; empty when the rollout is over."""
    if state.intent == "rollback":
        return [Planned(move=move) for move in way_back(state.world)]
    if state.intent == "promote":
        return shortcut(forward, state.done)
    rest = [Planned(move=move, index=index) for index, move in enumerate(forward) if index >= state.done]
    return [Planned(move=Pause(why=state.hold)), *rest] if state.hold else rest


def begun(state: State, planned: Planned) -> State:
    """Before a move is tried: whatever it may leave behind half done must be known to the way back."""
    move = planned.move
    if isinstance(move, Ensure) and move.track == "candidate":
        return _with_world(state, touched=True)
    if isinstance(move, Weight) and state.intent != "rollback":
        return _with_world(state, weight=max(state.world.weight, move.candidate))
    if isinstance(move, Ensure) and state.intent != "rollback":
        return _with_world(state, stable=min(state.world.stable, move.replicas))
    return _with_world(state, preview=True) if isinstance(move, Preview) and move.on else state


def succeeded(state: State, planned: Planned) -> State:
    """After a move was made."""
    state = _with_world(state, **_effect(planned.move))
    if planned.index is not None:
        return state.model_copy(update={"done": planned.index + 1})
    return state.model_copy(update={"hold": ""}) if isinstance(planned.move, Pause) else state


def turned_back(state: State, reason: str) -> State:
    """A failed move, failed analysis, deadline, crash or abort. The first reason stays."""
    if state.intent == "rollback":
        return state
    return state.model_copy(update={"intent": "rollback", "reason": reason, "hold": ""})


def held(state: State, planned: Planned | None, reason: str) -> State:
    """An inconclusive analysis: people decide. The analysis counts as made; approving goes on behind it."""
    done = planned.index + 1 if planned and planned.index is not None else state.done
    return state.model_copy(update={"hold": reason, "done": done})


def promoted_fully(state: State) -> State:
    return state.model_copy(update={"intent": "promote", "hold": ""})


def point_of_no_return(state: State, planned: Planned | None) -> bool:
    """Once the old release is being removed there is nothing to go back to within this rollout."""
    removing = planned is not None and isinstance(planned.move, Retire) and planned.move.track == "stable"
    return state.world.stable_gone or removing or (state.world.promoted and not state.world.has_stable)


def _with_world(state: State, **changes: object) -> State:
    return state.model_copy(update={"world": state.world.model_copy(update=changes)}) if changes else state


def _effect(move: Move) -> dict[str, object]:
    match move:
        case Ensure(track="candidate"):
            return {"candidate": move.replicas}
        case Ensure():
            return {"stable": move.replicas}
        case Weight():
            return {"weight": move.candidate}
        case Preview():
            return {"preview": move.on}
        case Promote():
            return {"promoted": True}
        case Retire(track="stable"):
            return {"stable": 0, "stable_gone": True}
        case Retire():
            return {"candidate": 0, "candidate_gone": True}
        case _:
            return {}
