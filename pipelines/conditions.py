"""Whether a run starts, which of its stages are skipped, and which group they queue in."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.globs import matches
from pipelines.graph import Instance
from pipelines.messages.common import RunRequest
from pipelines.spec import Concurrency, Triggers, When
from pipelines.template import fill

GROUP_NAMES = ("provider", "repo", "branch", "pipeline", "event", "sha", "tag", "actor")
"""What ${…} may name in the run's concurrency group."""
STAGE_GROUP_NAMES = (*GROUP_NAMES, "stage", "environment")
"""What ${…} may name in a stage's `concurrency`, beside ${matrix.x}."""


def not_triggered(triggers: Triggers, request: RunRequest) -> str:
    """Why this event starts no run, or ''. What a person or a schedule asks for always starts."""
    if request.event == "release":
        return "" if triggers.release else "the pipeline does not run on releases"
    patterns = {"push": triggers.push, "pull_request": triggers.pull_request}.get(request.event)
    if patterns is None or matches(request.branch, patterns):
        return ""
    if not patterns:
        return f"the pipeline does not run on {request.event}"
    return f"the pipeline runs on {request.event} to {', '.join(patterns)}, this is {request.branch or 'no branch'}"


def skip_reason(when: When, request: RunRequest, changed: list[str] | None) -> str:
    """Why a stage's condition does not hold, or ''. `changed` None means that it is not known: every path counts as changed."""
    if when.event and request.event not in when.event:
        return f"only on {', '.join(when.event)}, this is {request.event}"
    if when.branch and not matches(request.branch, when.branch):
        return f"only on branch {', '.join(when.branch)}, this is {request.branch or 'no branch'}"
    if when.changed and changed is not None and not any(matches(path, when.changed) for path in changed):
        return f"nothing changed in {', '.join(when.changed)}"
    return ""


def skip_reasons(instances: Iterable[Instance], request: RunRequest, changed: list[str] | None) -> dict[str, str]:
    """Per instance name why it is skipped: its own condition, or that everything it needs is skipped.

    `instances` as `expand` gives them, in any order.
    """
    all_instances = list(instances)
    skipped = {each.name: skip_reason(each.stage.when, request, changed) for each in all_instances}
    skipped = {name: reason for name, reason in skipped.items() if reason}
    pending = [each for each in all_instances if each.name not in skipped and each.needs]
    for each in sorted(pending, key=lambda instance: len(instance.all_needs)):
        if all(need in skipped for need in each.needs):
            skipped[each.name] = f"everything it needs is skipped: {', '.join(each.needs)}"
    return {each.name: skipped[each.name] for each in all_instances if each.name in skipped}


def concurrency_group(spec: Concurrency, request: RunRequest) -> str:
    """The group that the run queues in. Raises SpecError for an unknown ${name}."""
    return fill(spec.group, _facts(request))


def stage_group(instance: Instance, request: RunRequest) -> str:
    """The group that the stage queues in, '' for none. Raises SpecError for an unknown ${name}."""
    more = {"stage": instance.name, "environment": instance.stage.environment or ""}
    return fill(instance.stage.concurrency or "", {**_facts(request), **more})


def _facts(request: RunRequest) -> dict[str, str]:
    return {name: str(getattr(request, name) or "") for name in GROUP_NAMES}
