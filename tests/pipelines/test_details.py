"""The page that Temporal's Web UI shows of a run, a rollout or an environment."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.details import environment_details, rollout_details, run_details
from pipelines.messages.common import ArtifactRef, RunRequest, Status, TestSummary
from pipelines.messages.deploy import Place, Release, Verdict
from pipelines.messages.runs import EnvironmentView, RolloutView, RunView, StageView, VerdictPoint
from pipelines.spec import ProcessSpec

_RUN = RunRequest(repo="acme/shop", clone_url="file:///x", sha="0123456789abcdef", branch="main")


def _run(*stages: StageView, status: Status = Status.running, **more: Any) -> str:
    return run_details(RunView(run=_RUN, run_id="local/acme/shop/0/default", status=status, stages=list(stages), **more))


def _row(stage: StageView) -> list[str]:
    line = next(line for line in _run(stage).splitlines() if line.startswith(f"| {stage.name} "))
    return [cell.strip() for cell in line.strip("|").replace("\\|", "/").split("|")]


def _release(name: str) -> Release:
    place = Place(environment="production", service="shop")
    return Release(id=name, place=place, artifact=ArtifactRef(name="app", digest="sha256:aa"), process=ProcessSpec(command="x"))


def _rollout(**more: Any) -> str:
    given = {"workflow_id": "rollout/production/shop/1", "strategy": "canary", "candidate": _release("r2"), "stable_id": "r1"}
    return rollout_details(RolloutView(**{**given, "status": "progressing", "intent": "advance", **more}))


def test_a_run_begins_with_what_it_is() -> None:
    first = _run().splitlines()[0]
    assert first == "**acme/shop** `01234567` main — ▶ running"
    assert _run(status=Status.failed, reason="unit failed").splitlines()[0].endswith("✘ failed unit failed")


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_sign(status: Status) -> None:
    assert _row(StageView(name="unit", status=status))[1]
    assert str(status) in _run(status=status)


def test_a_stage_is_a_row() -> None:
    stage = StageView(
        name="unit",
        status=Status.passed,
        started_at=10.0,
        finished_at=12.34,
        reason="a | b\nc",
        tests=TestSummary(total=12, passed=11),
        coverage=87.65,
        rollout_id="rollout/production/shop/1",
    )
    assert _row(stage) == ["unit", "✔", "2.3 s", "a / b c, 11/12 tests, 87.7 % covered, rollout `rollout/production/shop/1`"]
    assert _row(StageView(name="unit", status=Status.running, started_at=10.0)) == ["unit", "▶", "", ""]


def test_the_table_has_a_row_for_each_stage_in_order() -> None:
    lines = _run(*(StageView(name=name, status=Status.pending) for name in "abc")).splitlines()
    start = lines.index("|---|---|---|---|")
    assert [line.split()[1] for line in lines[start + 1 : start + 4]] == ["a", "b", "c"]


def test_what_is_waited_for() -> None:
    stage = StageView(name="deploy", status=Status.waiting, waiting_for="approval by ann")
    assert "- `deploy` waits for approval by ann" in _run(stage).splitlines()
    assert "waits for" not in _run(StageView(name="deploy", status=Status.waiting))


def test_a_rollout_tells_where_the_traffic_is_and_what_comes() -> None:
    lines = _rollout(
        weight=20, move="wait 60 s", plan=["send 50 %", "analyse"], waiting_for="ann", reason="so far so good"
    ).splitlines()
    assert lines[0] == "**production/shop**: canary of `r2` over `r1`"
    assert lines[2] == "progressing, **20 %** of the traffic on the candidate. so far so good"
    assert lines[4:9] == ["Now: wait 60 s", "Waits for ann", "", "1. send 50 %", "2. analyse"]


def test_a_first_rollout_replaces_nothing() -> None:
    found = _rollout(stable_id="")
    assert "over `nothing`" in found
    assert "Now:" not in found
    assert "Waits for" not in found


def test_only_the_newest_verdicts() -> None:
    points = [VerdictPoint(at=float(n), verdict=Verdict(outcome="pass", reason=f"number {n}")) for n in range(8)]
    assert [line for line in _rollout(verdicts=points).splitlines() if "number" in line] == [
        f"- pass: number {n}" for n in range(3, 8)
    ]


def test_an_environment() -> None:
    history = [_release(f"r{n}") for n in range(12, 0, -1)]
    view = EnvironmentView(environment="production", service="shop", stable=history[0], history=history)
    found = environment_details(view)
    assert found.startswith("**production/shop** runs `r12`")
    assert "Rolling out" not in found
    assert found.endswith("Earlier: " + ", ".join(f"`r{n}`" for n in range(11, 2, -1)))
    busy = environment_details(view.model_copy(update={"active": "rollout/production/shop/3", "queued": ["a", "b"]}))
    assert "Rolling out: `rollout/production/shop/3`, 2 waiting" in busy


def test_an_empty_environment() -> None:
    assert environment_details(EnvironmentView(environment="e", service="s")).startswith("**e/s** runs `nothing yet`")
