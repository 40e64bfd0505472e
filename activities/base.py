"""How an activity says which port it implements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from temporalio import activity

from pipelines.ports import Port

F = TypeVar("F", bound=Callable[..., Any])


def implements(port: Port[Any, Any]) -> Callable[[F], F]:
    """Make a method the activity of `port`. The method takes `port.takes` and returns `port.gives`."""

    def mark(method: F) -> F:
        vars(method)["__switchyard_port__"] = port
        return activity.defn(name=port.name)(method)

    return mark


def heartbeat(*details: Any) -> None:
    """Heartbeat if run by Temporal; nothing otherwise, so that unit tests call activities as plain functions."""
    if activity.in_activity():
        activity.heartbeat(*details)
