"""Content hashes: equal inputs give equal keys, in every process and on every host; anything else gives another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pipelines.graph import Instance
from pipelines.spec import Pipeline, Stage, Step
from pipelines.spec.stage import Cell

_NOT_INPUT = {"needs", "rollout", "retry", "timeout", "when", "concurrency", "reuse", "matrix", "allow_failure"}
"""Parts of a stage that change when or how it runs, not what it makes of its inputs."""


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces. Raises ValueError for what JSON cannot say, such as NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def step_key(run_id: str, stage: str, index: int, step: Step, cell: Cell) -> str:
    """Names a step within its run, so that once it has passed it is not run again. `stage` is the instance's name.

    It does not hold the attempt: the second attempt of a passed step is no attempt.
    """
    definition = step.model_dump(mode="json")
    return digest({"run": run_id, "stage": stage, "index": index, "step": definition, "cell": cell})


def stage_key(tree: str, instance: Instance, pipeline: Pipeline, needs: Mapping[str, str]) -> str:
    """Names a stage's result across runs: what went in, as far as it decides what comes out.

    `tree` is the commit's tree id, `needs` maps the names of needed instances to their keys; the keys count, the names do not.
    Of secrets, names and places count; their values are not known here. Timeouts, retries and conditions do not count.
    """
    stage = instance.stage
    names = _secret_names(stage)
    return digest(
        {
            "tree": tree,
            "service": pipeline.service,
            "stage": _definition(stage),
            "env": {**pipeline.env, **instance.env},
            "cell": instance.cell,
            "needs": sorted(needs.values()),
            "secrets": {name: ref.model_dump(mode="json") for name, ref in pipeline.secrets.items() if name in names},
        }
    )


def _definition(stage: Stage) -> dict[str, Any]:
    definition = stage.model_dump(mode="json", exclude=_NOT_INPUT)
    return {**definition, "steps": [{**step, "timeout": None} for step in definition["steps"]]}


def _secret_names(stage: Stage) -> set[str]:
    return {*stage.secrets, *(name for step in stage.steps for name in step.secrets)}
