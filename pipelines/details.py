"""What Temporal's Web UI shows of a workflow, in Markdown: the story of a run or a rollout on one page."""

from __future__ import annotations

from pipelines.messages.common import Status
from pipelines.messages.runs import EnvironmentView, RolloutView, RunView, StageView

_SIGNS = {
    Status.pending: "○",
    Status.waiting: "◔",
    Status.running: "▶",
    Status.passed: "✔",
    Status.reused: "✔ reused",
    Status.failed: "✘",
    Status.held: "✘ held",
    Status.skipped: "– skipped",
    Status.cancelled: "■ cancelled",
}


def run_details(view: RunView) -> str:
    """A table of stages, then what is waited for."""
    head = (
        f"**{view.run.repo}** `{view.run.sha[:8]}` {view.run.branch} — {_SIGNS[view.status]} {view.status} {view.reason}".strip()
    )
    rows = [f"| {stage.name} | {_SIGNS[stage.status]} | {_took(stage)} | {_note(stage)} |" for stage in view.stages]
    waits = [f"- `{stage.name}` waits for {stage.waiting_for}" for stage in view.stages if stage.waiting_for]
    return "\n".join([head, "", "| stage | status | time | notes |", "|---|---|---|---|", *rows, "", *waits])


def _took(stage: StageView) -> str:
    if stage.started_at is None or stage.finished_at is None:
        return ""
    return f"{stage.finished_at - stage.started_at:.1f} s"


def _note(stage: StageView) -> str:
    tests = f"{stage.tests.passed}/{stage.tests.total} tests" if stage.tests else ""
    coverage = f"{stage.coverage:.1f} % covered" if stage.coverage is not None else ""
    rollout = f"rollout `{stage.rollout_id}`" if stage.rollout_id else ""
    reason = stage.reason.replace("|", "\\|").replace("\n", " ")
    return ", ".join(part for part in (reason, tests, coverage, rollout) if part)


def rollout_details(view: RolloutView) -> str:
    """Where the traffic is, what is being done, what comes, and the newest verdicts."""
    head = f"**{view.candidate.place.key}**: {view.strategy} of `{view.candidate.id}` over `{view.stable_id or 'nothing'}`"
    state = f"{view.status}, **{view.weight} %** of the traffic on the candidate. {view.reason}".strip()
    verdicts = [f"- {point.verdict.outcome}: {point.verdict.reason}" for point in view.verdicts[-5:]]
    waits = [f"Waits for {view.waiting_for}"] if view.waiting_for else []
    now = [f"Now: {view.move}"] if view.move else []
    plan = [f"{number}. {words}" for number, words in enumerate(view.plan, 1)]
    return "\n".join([head, "", state, "", *now, *waits, "", *plan, "", *verdicts])


def environment_details(view: EnvironmentView) -> str:
    stable = view.stable.id if view.stable else "nothing yet"
    lines = [f"**{view.environment}/{view.service}** runs `{stable}`"]
    if view.active:
        lines.append(f"Rolling out: `{view.active}`, {len(view.queued)} waiting")
    return "\n\n".join([*lines, "Earlier: " + ", ".join(f"`{release.id}`" for release in view.history[1:10])])
