"""What is last heard of runs and rollouts."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from activities.records import Records
from pipelines.messages.common import Status
from tests.support.records import deployment, run


def test_an_unknown_run_is_none(records: Records) -> None:
    assert records.runs.get("nothing") is None
    assert records.runs.recent() == []


def test_a_run_comes_back_as_it_was_recorded(records: Records) -> None:
    record = run(branch="main", title="A 'title'; DROP TABLE runs", finished_at=None, committed_at=3.5, actor="ann")
    records.runs.upsert(record)
    assert records.runs.get(record.run_id) == record


def test_the_last_word_wins(records: Records) -> None:
    for status in (Status.running, Status.held, Status.running, Status.passed):
        records.runs.upsert(run(status=status))
        assert records.runs.get(run().run_id).status == status  # type: ignore[union-attr]


@pytest.mark.parametrize("late", [Status.running, Status.held, Status.waiting])
@pytest.mark.parametrize("end", [Status.passed, Status.failed, Status.cancelled])
def test_a_late_word_does_not_undo_an_end(records: Records, end: Status, late: Status) -> None:
    records.runs.upsert(run(status=end, finished_at=200.0))
    records.runs.upsert(run(status=late))
    found = records.runs.get(run().run_id)
    assert found and (found.status, found.finished_at) == (end, 200.0)


def test_a_new_execution_begins_anew_and_the_old_one_is_not_heard_any_more(records: Records) -> None:
    records.runs.upsert(run(status=Status.failed, finished_at=150.0))
    records.runs.upsert(run(execution="e2", started_at=300.0))
    records.runs.upsert(run(status=Status.cancelled, finished_at=310.0))
    found = records.runs.get(run().run_id)
    assert found and (found.execution, found.status) == ("e2", Status.running)


def test_a_reset_execution_that_began_at_the_same_time_takes_over(records: Records) -> None:
    records.runs.upsert(run(status=Status.failed, finished_at=150.0))
    records.runs.upsert(run(execution="reset"))
    found = records.runs.get(run().run_id)
    assert found and (found.execution, found.status) == ("reset", Status.running)


def test_runs_are_listed_newest_first_and_by_what_they_are(records: Records) -> None:
    for number in range(6):
        records.runs.upsert(
            run(
                f"run{number}",
                started_at=float(number),
                repo="o/even" if number % 2 == 0 else "o/odd",
                sha=f"{number}abc",
                branch="main" if number < 3 else "topic",
                service="web",
                status=Status.passed if number == 4 else Status.failed,
            )
        )
    ids = lambda **filters: [record.run_id for record in records.runs.recent(**filters)]  # noqa: E731
    assert ids() == ["run5", "run4", "run3", "run2", "run1", "run0"]
    assert ids(limit=2) == ["run5", "run4"]
    assert ids(limit=2, before=4.0) == ["run3", "run2"]
    assert ids(repo="o/even") == ["run4", "run2", "run0"]
    assert ids(repo="o/odd", branch="main") == ["run1"]
    assert ids(status=Status.passed) == ids(status="passed") == ["run4"]
    assert ids(sha="3a") == ["run3"]
    assert ids(sha="%") == ids(service="none") == ids(pipeline="other") == []


def test_runs_that_have_ended_and_those_that_have_not(records: Records) -> None:
    records.runs.upsert(run("going", status=Status.held))
    records.runs.upsert(run("old", status=Status.passed, finished_at=50.0))
    records.runs.upsert(run("new", status=Status.failed, finished_at=500.0))
    assert records.runs.unfinished() == {"going"}
    assert records.runs.finished_before(100.0) == ["old"]


def test_a_rollout_is_recorded_from_start_to_end(records: Records) -> None:
    for status, finished in (("started", None), ("promoted", None), ("promoted", 120.0)):
        record = deployment(status=status, finished_at=finished, release_json='{"id": "web-1"}')
        records.deployments.upsert(record)
        assert records.deployments.get(record.key) == record


@pytest.mark.parametrize("late", [("started", None), ("promoted", None)])
def test_a_late_word_about_a_rollout_does_not_undo_its_end(records: Records, late: tuple[str, float | None]) -> None:
    records.deployments.upsert(deployment(status="rolled-back", finished_at=120.0))
    records.deployments.upsert(deployment(status=late[0], finished_at=late[1]))
    assert records.deployments.get(deployment().key).status == "rolled-back"  # type: ignore[union-attr]


def test_a_late_start_does_not_undo_a_promotion(records: Records) -> None:
    records.deployments.upsert(deployment(status="promoted"))
    records.deployments.upsert(deployment(status="started"))
    assert records.deployments.get(deployment().key).status == "promoted"  # type: ignore[union-attr]


def test_words_in_any_order_and_at_once_end_with_the_end(records: Records) -> None:
    words = [deployment(), deployment(status="promoted"), deployment(status="promoted", finished_at=9.0)] * 5
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(records.deployments.upsert, words))
    assert records.deployments.get(deployment().key) == words[2]


def test_rollouts_of_a_place_and_of_a_release(records: Records) -> None:
    records.deployments.upsert(deployment("r/1", started_at=1.0, release_id="web-1", run_id="a"))
    records.deployments.upsert(deployment("r/2", started_at=2.0, release_id="web-2", run_id="b"))
    records.deployments.upsert(deployment("r/3", started_at=3.0, release_id="web-1", run_id="b"))
    records.deployments.upsert(deployment("s/1", started_at=4.0, environment="staging", release_id="web-2"))
    keys = lambda found: [record.key for record in found]  # noqa: E731
    assert keys(records.deployments.of("prod", "web")) == ["r/3", "r/2", "r/1"]
    assert keys(records.deployments.of("prod", "web", limit=1)) == ["r/3"]
    assert keys(records.deployments.of("prod", "api")) == []
    assert keys(records.deployments.release("web-1")) == ["r/3", "r/1"]
    assert keys(records.deployments.of_run("b")) == ["r/3", "r/2"]
    assert keys(records.deployments.recent(since=3.0)) == ["s/1", "r/3"]
