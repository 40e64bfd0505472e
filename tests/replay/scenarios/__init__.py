"""One file per workflow; each registers its scenarios when it is imported."""

from tests.replay.scenarios import deliveries, pipelines
from tests.replay.scenarios.registry import SCENARIOS, Scenario, scenario

__all__ = ["SCENARIOS", "Scenario", "deliveries", "pipelines", "scenario"]
