"""One file per workflow; each registers its scenarios when it is imported."""

from tests.replay.scenarios import deliveries, environments, groups, pipelines, rollouts
from tests.replay.scenarios.registry import SCENARIOS, Scenario, scenario

__all__ = ["SCENARIOS", "Scenario", "deliveries", "environments", "groups", "pipelines", "rollouts", "scenario"]
