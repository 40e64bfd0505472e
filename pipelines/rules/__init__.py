"""What a definition must keep beyond its form. The loader asks; pipelines that are already in a run's history are not judged
again, so a new rule never breaks a run under way.

A rule is a function from a pipeline to complaints. Rules read stages that are wrong elsewhere as if those parts were absent.
"""

from __future__ import annotations

from pipelines.rules.analysis import analyses
from pipelines.rules.artifacts import artifacts
from pipelines.rules.groups import groups
from pipelines.rules.matrix import matrices
from pipelines.rules.people import people
from pipelines.rules.places import places
from pipelines.rules.releases import releases
from pipelines.rules.steps import steps
from pipelines.spec import Pipeline
from pipelines.spec.complaint import Complaint

RULES = (steps, matrices, places, artifacts, releases, analyses, people, groups)


def check(pipeline: Pipeline) -> list[Complaint]:
    """Everything that the rules find, in their order."""
    return [complaint for rule in RULES for complaint in rule(pipeline)]


__all__ = ["RULES", "check"]
