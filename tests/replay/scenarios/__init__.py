"""One file per workflow; each registers its scenarios when it is imported."""

from tests.replay.scenarios import (
    deliveries,
    environment_edges,
    environments,
    groups,
    pipelines,
    rollout_edges,
    rollouts,
)
from tests.replay.scenarios.registry import SCENARIOS, Scenario, scenario

__all__ = [
    "SCENARIOS",
    "Scenario",
    "deliveries",
    "environment_edges",
    "environments",
    "groups",
    "pipelines",
    "rollout_edges",
    "rollouts",
    "scenario",
]
