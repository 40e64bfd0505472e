"""Every scenario by name: what it does, and whose history it leaves to be replayed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import WorkflowHandle

from tests.support.fakes import World

Scenario = Callable[[World], Awaitable[WorkflowHandle[Any, Any]]]
"""Plays in a world of its own, and gives the workflow whose history is golden (with a run id, that very execution)."""

SCENARIOS: dict[str, Scenario] = {}


def scenario(play: Scenario) -> Scenario:
    """Register under the function's name, which must say what the path is."""
    name = getattr(play, "__name__", "")
    if name in SCENARIOS:
        raise ValueError(f"there are two scenarios '{name}'")
    SCENARIOS[name] = play
    return play
