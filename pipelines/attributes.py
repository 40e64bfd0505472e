"""Names of the search attributes that workflows carry, so that runs and rollouts can be found in Temporal's UI and lists.

All are of Temporal's type Keyword. The names are part of what is stored: never rename one.
"""

from __future__ import annotations

REPO = "SwitchyardRepo"
"""owner/name"""
BRANCH = "SwitchyardBranch"
SHA = "SwitchyardSha"
"""Full commit id; the query language's STARTS_WITH finds short ones."""
SERVICE = "SwitchyardService"
ENVIRONMENT = "SwitchyardEnvironment"
STRATEGY = "SwitchyardStrategy"
STATUS = "SwitchyardStatus"
"""pipelines.messages.common.Status of a run, or the status of a rollout."""

KEYWORDS = (REPO, BRANCH, SHA, SERVICE, ENVIRONMENT, STRATEGY, STATUS)
