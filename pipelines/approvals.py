"""Who may approve, and when it is enough."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.spec.gate import ApprovalSpec


def objection(spec: ApprovalSpec, author: str, given: Sequence[str], actor: str) -> str:
    """Why `actor` may not approve now, in one sentence; '' when nothing speaks against it."""
    if spec.approvers and actor not in spec.approvers:
        return f"'{actor}' may not approve this; {', '.join(spec.approvers)} may"
    if spec.not_author and actor == author:
        return f"'{actor}' is the author of this change, and its approval needs somebody else"
    if actor in given:
        return f"'{actor}' has approved already; {missing(spec, given)} more from other people needed"
    return ""


def missing(spec: ApprovalSpec, given: Sequence[str]) -> int:
    """How many more approvals are needed."""
    return max(0, spec.count - len(given))
