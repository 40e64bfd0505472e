"""Which parts of a stage need which others. Looks only at what is there, so that it can judge a stage that is wrong elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.spec.complaint import Complaint

if TYPE_CHECKING:
    from pipelines.spec.stage import Stage

_ACTIONS = ("steps", "gate", "approval", "release", "checks", "environment")


def parts(stage: Stage) -> Iterator[Complaint]:
    if stage.release and not stage.environment:
        yield Complaint(
            ("release",), "a stage with 'release' needs an 'environment' to release into", "Add 'environment: staging'", True
        )
    if stage.rollout and not stage.release:
        yield Complaint(("rollout",), "a stage with 'rollout' needs a 'release' to roll out", "Add a 'release'", True)
    if stage.checks and not stage.environment:
        message = "a stage with 'checks' needs an 'environment' whose address they are run against"
        yield Complaint(("checks",), message, "Add 'environment'", True)
    if not any(getattr(stage, action) for action in _ACTIONS):
        yield Complaint((), "the stage does nothing", f"Give it one of {', '.join(_ACTIONS)}", True)
