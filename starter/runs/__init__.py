"""The one place through which the CLI, the webhooks and the dashboard start, find, see and steer runs."""

from starter.runs.ask import abort, approve, find_waiting, is_rollout, pause, promote, resume, retry, skip
from starter.runs.environments import places, releases, rollback, the_place
from starter.runs.find import list_runs, resolve
from starter.runs.models import RunSummary, Started, Waiting
from starter.runs.start import start
from starter.runs.view import KnownRuns, describe, rollout

__all__ = [
    "KnownRuns",
    "RunSummary",
    "Started",
    "Waiting",
    "abort",
    "approve",
    "describe",
    "find_waiting",
    "is_rollout",
    "list_runs",
    "pause",
    "places",
    "promote",
    "releases",
    "resolve",
    "resume",
    "retry",
    "rollback",
    "rollout",
    "skip",
    "start",
    "the_place",
]
