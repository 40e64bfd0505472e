"""Following a run: everything is told once, in the order in which it happened."""

from __future__ import annotations

from typing import Any, cast

import pytest
from temporalio.client import Client

from pipelines.errors import Unavailable
from pipelines.messages.common import RunRequest, Status
from pipelines.messages.deploy import Release, Verdict
from pipelines.messages.runs import RolloutView, RunView, StageView, VerdictPoint, WeightPoint
from starter.demo import follow
from starter.demo.told import Teller
from tests.starter.standins import release

RUN = RunRequest(provider="github", repo="demo/quotes", clone_url="", sha="a" * 40)


class Lines(Teller):
    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.lines: list[str] = []

    def line(self, text: str, style: str = "") -> None:
        self.lines.append(text.strip())


def _run(status: Status, *stages: StageView) -> RunView:
    return RunView(run=RUN, run_id="github/demo/quotes/a/default", status=status, stages=list(stages))


def _stage(name: str, status: Status, **more: Any) -> StageView:
    return StageView(name=name, status=status, **more)


def _rollout(candidate: Release, weights: list[tuple[float, int]], verdicts: list[tuple[float, str]]) -> RolloutView:
    return RolloutView(
        workflow_id="rollout/production/quotes/2",
        strategy="canary",
        candidate=candidate,
        status="progressing",
        intent="advance",
        weights=[WeightPoint(at=at, weight=weight) for at, weight in weights],
        verdicts=[VerdictPoint(at=at, verdict=Verdict.model_validate({"outcome": outcome})) for at, outcome in verdicts],
    )


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> tuple[follow.Follower, Lines, list[Any], list[Any]]:
    """The follower, what it said, and the answers that it gets: of the run and of the rollout, one a look, the last for good."""
    views: list[Any] = []
    rollouts: list[Any] = []

    def answers(given: list[Any]) -> Any:
        async def answer(*_: object) -> Any:
            found = given.pop(0) if len(given) > 1 else given[0]
            if isinstance(found, Exception):
                raise found
            return found

        return answer

    monkeypatch.setattr(follow.runs, "describe", answers(views))
    monkeypatch.setattr(follow.runs, "rollout", answers(rollouts))
    monkeypatch.setattr(follow, "INTERVAL", 0.001)
    lines = Lines()
    return follow.Follower(cast(Client, None), "github/demo/quotes/a/default", lines, "production"), lines, views, rollouts


async def test_each_stage_is_told_when_it_has_ended(followed: Any) -> None:
    run, lines, views, _ = followed
    views += [
        _run(Status.running, _stage("checkout", Status.running), _stage("unit-tests", Status.pending)),
        _run(Status.running, _stage("checkout", Status.passed), _stage("unit-tests", Status.running)),
        _run(Status.failed, _stage("checkout", Status.passed), _stage("unit-tests", Status.failed, reason="2 tests failed")),
    ]
    view = await run.until(lambda _: False, 10)
    assert view.status == Status.failed
    assert [line.split()[1] for line in lines.lines] == ["checkout", "unit-tests"]
    assert lines.lines[1].endswith("2 tests failed")


async def test_weights_and_verdicts_come_in_the_order_of_time(followed: Any) -> None:
    run, lines, views, rollouts = followed
    stage = _stage("deploy", Status.running, environment="production", rollout_id="rollout/production/quotes/2")
    views += [_run(Status.running, stage), _run(Status.running, stage), _run(Status.failed, stage)]
    early = _rollout(release("r2"), [(1, 20)], [(2, "pass"), (3, "pass")])
    rollouts += [early, early, _rollout(release("r2"), [(1, 20), (5, 0)], [(2, "pass"), (3, "pass"), (4, "fail")])]
    await run.until(lambda _: False, 10)
    told = [line.split(" % ")[0].rstrip(".") for line in lines.lines]
    assert told == ["→ 20", "analysis: pass", "analysis: fail", "→ 0"]


async def test_a_worker_that_does_not_answer_yet_is_waited_for(followed: Any) -> None:
    run, _, views, _ = followed
    views += [Unavailable("no worker"), Unavailable("no worker"), _run(Status.passed)]
    assert (await run.until(lambda _: False, 10)).status == Status.passed


async def test_it_stops_where_it_was_asked_to(followed: Any) -> None:
    run, _, views, _ = followed
    views += [_run(Status.running), _run(Status.running, _stage("checkout", Status.passed))]
    view = await run.until(lambda each: bool(each.view and each.view.stages), 10)
    assert view.status == Status.running


async def test_a_run_that_does_not_get_there_is_an_error_that_says_where_it_is(followed: Any) -> None:
    run, _, views, _ = followed
    views += [_run(Status.running, _stage("unit-tests", Status.running))]
    with pytest.raises(Unavailable, match=r"after 0.05 s: unit-tests running"):
        await run.until(lambda _: False, 0.05)
