"""Approvals can be given."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.spec import ApprovalSpec, Pipeline
from pipelines.spec.complaint import Complaint, Path


def people(pipeline: Pipeline) -> Iterator[Complaint]:
    for name, stage in pipeline.stages.items():
        if stage.approval:
            yield from _of(stage.approval, ("stages", name, "approval"))
        if stage.rollout:
            yield from _of(stage.rollout.approval, ("stages", name, "rollout", "approval"))


def _of(approval: ApprovalSpec, path: Path) -> Iterator[Complaint]:
    persons = len(set(approval.approvers))
    if approval.approvers and approval.count > persons:
        message = f"{approval.count} approvals are asked for, but only {persons} may approve"
        yield Complaint((*path, "count"), message, "Lower 'count', or name more approvers")
