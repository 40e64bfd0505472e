"""How runs, rollouts and releases look to people."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from rich.console import Console

from pipelines.messages.common import Status, TestSummary
from pipelines.messages.deploy import Verdict
from pipelines.messages.runs import EnvironmentView, RolloutView, RunView, StageView, StepView, VerdictPoint
from starter.commands.render import MARKS, mark, moment, releases_table, rollout_lines, run_tree, runs_table, seconds
from starter.runs.models import RunSummary
from tests.starter.conftest import request
from tests.starter.standins import SHOP, release

NOW = 1_000_100.0


def text(renderable: object, width: int = 160) -> str:
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(renderable)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (0.04, "0.0 s"),
        (9.96, "10.0 s"),
        (12.3, "12 s"),
        (59.7, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7620, "2 h 07 min"),
    ],
)
def test_durations_read_well(value: float | None, words: str) -> None:
    assert seconds(value) == words


def test_every_status_has_a_mark_of_its_own() -> None:
    assert set(MARKS) == set(Status)
    assert len({str(mark(status)) for status in Status}) == len(Status)


def test_moments_are_local_times() -> None:
    assert moment(None) == ""
    assert moment(NOW) == datetime.fromtimestamp(NOW).strftime("%Y-%m-%d %H:%M:%S")


def rollout_view(**fields: object) -> RolloutView:
    given = {
        "workflow_id": "rollout/staging/shop/1",
        "strategy": "canary",
        "candidate": release("two"),
        "status": "progressing",
        "intent": "advance",
        "weight": 40,
        "move": "analysis at 40 %",
    }
    return RolloutView.model_validate(given | fields)


def view(*stages: StageView, **fields: object) -> RunView:
    asked = request("fix the cart", sha="ab" * 20)
    given = {"run": asked, "run_id": asked.workflow_id, "status": Status.running, "started_at": NOW - 65, "stages": list(stages)}
    return RunView.model_validate(given | fields)


def test_a_run_is_a_tree_of_stages_and_steps() -> None:
    steps = [
        StepView(index=0, title="install", status=Status.passed, seconds=3.21),
        StepView(index=1, title="pytest", status=Status.failed, exit_code=2, message="3 tests failed"),
        StepView(index=2, title="upload", status=Status.pending),
    ]
    tests = TestSummary(total=10, passed=7, failed=3)
    stage = StageView(name="tests", status=Status.running, started_at=NOW - 5, steps=steps, tests=tests, coverage=81.25)
    lines = text(run_tree(view(stage), {}, NOW)).splitlines()
    assert lines[0] == "▶ running  acme/shop@ababababab  1 min 05 s  main  fix the cart"
    assert lines[1] == "└── ▶ running  tests  5.0 s  2/3 steps  7/10 tests  81.2 % covered"
    assert lines[2].endswith("✓ passed  install  3.2 s")
    assert lines[3].endswith("✗ failed  pytest  exit status 2  3 tests failed")
    assert lines[4].endswith("· pending  upload")


def test_what_ended_keeps_its_time_and_what_waits_says_for_what() -> None:
    done = StageView(name="build", status=Status.passed, started_at=NOW - 60, finished_at=NOW - 48)
    waits = StageView(name="go", status=Status.waiting, waiting_for="approval by ada (1)")
    drawn = text(
        run_tree(view(done, waits, status=Status.held, reason="lint failed", finished_at=NOW - 5, version="1.4"), {}, NOW)
    )
    assert "✓ passed  build  12 s" in drawn
    assert "◔ waiting  go  approval by ada (1)" in drawn
    assert drawn.splitlines()[0] == "‖ held  acme/shop@ababababab  1 min 00 s  1.4  main  fix the cart  lint failed"


def test_a_stages_rollout_is_drawn_beneath_it() -> None:
    stage = StageView(name="ship", status=Status.running, rollout_id="rollout/staging/shop/1")
    drawn = text(run_tree(view(stage), {"rollout/staging/shop/1": rollout_view()}, NOW))
    assert "canary progressing: analysis at 40 %" in drawn
    assert "████████░░░░░░░░░░░░ 40 % to two" in drawn
    assert "40 %" not in text(run_tree(view(stage), {}, NOW))


def test_a_rollout_shows_its_newest_verdict_and_its_result() -> None:
    verdicts = [
        VerdictPoint(at=1, verdict=Verdict(outcome="pass", reason="fine")),
        VerdictPoint(at=2, verdict=Verdict(outcome="fail", reason="error rate 0.4 > 0.05")),
    ]
    drawn = text(rollout_lines(rollout_view(verdicts=verdicts, result="rolled-back", status="done", weight=0, reason="errors")))
    assert drawn.splitlines() == [
        "canary rolled-back: errors",
        "░░░░░░░░░░░░░░░░░░░░ 0 % to two",
        "analysis fail: error rate 0.4 > 0.05",
    ]


@pytest.mark.parametrize("weight", [0, 1, 49, 50, 99, 100])
def test_the_bar_always_has_its_length(weight: int) -> None:
    bar = text(rollout_lines(rollout_view(weight=weight))).splitlines()[1]
    assert bar.count("█") + bar.count("░") == 20


def test_titles_cannot_smuggle_markup_in() -> None:
    title = "[red]no[/red] [link=x]"
    summary = RunSummary(run_id="x", repo="acme/shop", sha="ab" * 20, status=Status.passed, title=title, started_at=NOW)
    assert title in text(runs_table([summary], NOW))
    stage = StageView(name="s", status=Status.passed, steps=[StepView(index=0, title=title, status=Status.passed)])
    assert title in text(run_tree(view(stage), {}, NOW))


def test_runs_in_a_table() -> None:
    assert text(runs_table([], NOW)) == "no runs"
    over = RunSummary(
        run_id="x", repo="acme/shop", branch="main", sha="ab" * 20, status=Status.failed, actor="ada", title="break it",
        started_at=NOW - 100, finished_at=NOW - 90,
    )  # fmt: skip
    going = over.model_copy(update={"status": Status.running, "finished_at": None})
    lines = text(runs_table([over, going], NOW)).splitlines()
    assert "✗ failed" in lines[1]
    assert "10 s" in lines[1]
    assert "1 min 40 s" in lines[2]


def test_environments_in_a_table() -> None:
    assert text(releases_table([])) == "nothing was released yet"
    seen = EnvironmentView(
        environment="staging", service="shop", stable=release("two", SHOP), history=[release("two", SHOP), release("one", SHOP)],
        active="rollout/staging/shop/3", queued=["rollout/staging/shop/4"],
    )  # fmt: skip
    lines = [line.split() for line in text(releases_table([seen])).splitlines()]
    assert lines[1][-1] == "stable"
    assert lines[2][2:] == ["one", "v-one"]
    assert lines[3][2:] == ["rollout/staging/shop/3", "under", "way"]
    assert lines[4][2:] == ["rollout/staging/shop/4", "queued"]
    waiting = text(releases_table([seen.model_copy(update={"active": ""})]))
    assert "under way" not in waiting
    assert "queued" in waiting
