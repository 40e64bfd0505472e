"""Runs, rollouts and releases as Rich renderables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pipelines.messages.common import Status
from pipelines.messages.runs import EnvironmentView, RolloutView, RunView, StageView, StepView
from starter.runs.models import RunSummary

MARKS: dict[Status, tuple[str, str]] = {
    Status.pending: ("·", "dim"),
    Status.waiting: ("◔", "yellow"),
    Status.running: ("▶", "cyan"),
    Status.passed: ("✓", "green"),
    Status.reused: ("↺", "green"),
    Status.failed: ("✗", "red"),
    Status.held: ("‖", "red"),
    Status.skipped: ("–", "dim"),
    Status.cancelled: ("■", "magenta"),
}


def seconds(value: float | None) -> str:
    """'0.4 s', '12 s', '3 min 05 s', '2 h 07 min'; '' for None."""
    if value is None:
        return ""
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(at: float | None) -> str:
    """Local date and time of Unix seconds."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""


def mark(status: Status) -> Text:
    sign, style = MARKS[status]
    return Text(f"{sign} {status.value}", style)


def runs_table(found: Sequence[RunSummary], now: float) -> RenderableType:
    if not found:
        return Text("no runs")
    table = Table(box=None, pad_edge=False)
    for column in ("STATUS", "COMMIT", "REPOSITORY", "BRANCH", "BY", "STARTED", "TOOK", "TITLE"):
        table.add_column(column, no_wrap=column != "TITLE")
    for run in found:
        took = seconds((run.finished_at or now) - run.started_at)
        facts = (run.sha[:10], run.repo, run.branch, run.actor, moment(run.started_at), took, run.title)
        table.add_row(mark(run.status), *map(Text, facts))
    return table


def run_tree(view: RunView, rollouts: Mapping[str, RolloutView], now: float) -> RenderableType:
    """The whole run: stages in the pipeline's order, their steps, and what each rollout is doing."""
    tree = Tree(_headline(view, now))
    for stage in view.stages:
        branch = tree.add(_stage_line(stage, now))
        for step in stage.steps:
            branch.add(_step_line(step))
        if stage.rollout_id in rollouts:
            branch.add(rollout_lines(rollouts[stage.rollout_id]))
    return tree


def _headline(view: RunView, now: float) -> Text:
    run = view.run
    took = seconds((view.finished_at or now) - view.started_at) if view.started_at else ""
    line = Text.assemble(mark(view.status), "  ", (f"{run.repo}@{run.sha[:10]}", "bold"), f"  {took}")
    for part in (view.version, run.branch, run.title, view.reason):
        line.append(f"  {part}" if part else "")
    return line


def _stage_line(stage: StageView, now: float) -> Text:
    took = seconds((stage.finished_at or now) - stage.started_at) if stage.started_at else ""
    done = sum(step.status.final for step in stage.steps)
    progress = f"{done}/{len(stage.steps)} steps" if stage.steps and not stage.status.final else ""
    tests = f"{stage.tests.passed}/{stage.tests.total} tests" if stage.tests else ""
    coverage = f"{stage.coverage:.1f} % covered" if stage.coverage is not None else ""
    line = Text.assemble(mark(stage.status), "  ", (stage.name, "bold"))
    for part in (took, progress, tests, coverage, stage.waiting_for, stage.reason):
        line.append(f"  {part}" if part else "")
    return line


def _step_line(step: StepView) -> Text:
    line = Text.assemble(mark(step.status), f"  {step.title}", (f"  {seconds(step.seconds)}" if step.seconds else "", "dim"))
    if step.exit_code:
        line.append(f"  exit status {step.exit_code}", "red")
    return line.append(f"  {step.message}" if step.message else "")


def rollout_lines(view: RolloutView) -> RenderableType:
    """Weights as a bar, what it does or waits for, and the newest verdict."""
    filled = round(view.weight / 5)
    bar = Text.assemble(("█" * filled, "cyan"), ("░" * (20 - filled), "dim"), f" {view.weight} % to {view.candidate.id}")
    what = view.result or view.status
    lines = [Text(f"{view.strategy} {what}: {view.reason or view.waiting_for or view.move}"), bar]
    if view.verdicts:
        newest = view.verdicts[-1].verdict
        lines.append(Text(f"analysis {newest.outcome}: {newest.reason}"))
    return Group(*lines)


def releases_table(views: Sequence[EnvironmentView]) -> RenderableType:
    if not views:
        return Text("nothing was released yet")
    table = Table("ENVIRONMENT", "SERVICE", "RELEASE", "VERSION", "COMMIT", "STATE", box=None, pad_edge=False)
    for view in views:
        for release in view.history:
            state = "stable" if view.stable and release.id == view.stable.id else ""
            facts = (view.environment, view.service, release.id, release.version, release.sha[:10], state)
            table.add_row(*map(Text, facts))
        ahead = [(view.active, "under way")] if view.active else []
        for workflow_id, state in [*ahead, *((each, "queued") for each in view.queued)]:
            table.add_row(view.environment, view.service, workflow_id, "", "", state)
    return table
