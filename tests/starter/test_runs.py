"""Starting, finding, seeing and steering runs, against a real server and stand-ins with the real names."""

from __future__ import annotations

import pytest
from temporalio.client import Client, WorkflowFailureError

from pipelines.errors import Conflict, Denied, NotFound, UserError
from pipelines.messages.common import Status
from pipelines.messages.notify import RunRecord
from pipelines.messages.runs import Abort, Answer, Approve, Pause, Promote, Resume, Retry, RunResult, Skip
from starter import runs
from tests.starter.conftest import request, until
from tests.starter.standins import rollout_id


async def ended(client: Client, run_id: str) -> Status:
    try:
        result = await client.get_workflow_handle(run_id, result_type=RunResult).result()
        return result.status
    except WorkflowFailureError:
        return Status.failed


async def asked_of(client: Client, run_id: str) -> str:
    return (await runs.describe(client, run_id)).reason


async def test_an_event_that_comes_twice_is_one_run(standins: Client) -> None:
    asked = request()
    first = await runs.start(standins, asked)
    second = await runs.start(standins, asked)
    assert first.run_id == second.run_id == asked.workflow_id
    assert (first.already, second.already) == (False, True)
    assert first.execution == second.execution


async def test_a_run_that_passed_is_not_started_again(standins: Client) -> None:
    asked = request("pass")
    started = await runs.start(standins, asked)
    assert await ended(standins, started.run_id) == Status.passed
    assert (await runs.start(standins, asked)).already


async def test_a_run_that_failed_is_started_again(standins: Client) -> None:
    asked = request("fail")
    first = await runs.start(standins, asked)
    assert await ended(standins, first.run_id) == Status.failed
    second = await runs.start(standins, asked)
    assert not second.already
    assert second.execution != first.execution


async def test_temporals_ui_is_told_what_the_run_is(standins: Client) -> None:
    started = await runs.start(standins, request("wait"))
    found = await standins.get_workflow_handle(started.run_id).describe()
    assert (await found.static_summary() or "").startswith("acme/shop@")
    assert "**By**: ada" in (await found.static_details() or "")


async def test_list_shows_each_run_once_newest_first(standins: Client) -> None:
    repo = "acme/listed"
    old, new = request("pass", repo=repo), request("fail", repo=repo)
    await runs.start(standins, old)
    await ended(standins, old.workflow_id)
    for _ in range(2):
        await runs.start(standins, new)
        await ended(standins, new.workflow_id)

    async def both() -> list[runs.RunSummary]:
        found = await runs.list_runs(standins, repo=repo)
        return found if [run.status for run in found] == [Status.failed, Status.passed] else []

    found = await until(both)
    assert [run.run_id for run in found] == [new.workflow_id, old.workflow_id]
    assert found[0].model_dump(include={"repo", "branch", "sha", "actor", "title", "service"}) == {
        "repo": repo, "branch": "main", "sha": new.sha, "actor": "ada", "title": "fail", "service": "shop",
    }  # fmt: skip
    assert found[0].finished_at is not None
    assert [run.run_id for run in await runs.list_runs(standins, repo=repo, status="passed")] == [old.workflow_id]
    assert len(await runs.list_runs(standins, repo=repo, limit=1)) == 1
    assert await runs.list_runs(standins, repo=repo, branch="other") == []


async def test_list_keeps_hostile_text_out_of_the_query(standins: Client) -> None:
    with pytest.raises(UserError, match="quotes"):
        await runs.list_runs(standins, branch="x' OR WorkflowType != '")


async def test_a_terminated_run_shows_as_cancelled(standins: Client) -> None:
    asked = request(repo="acme/ended")
    await runs.start(standins, asked)
    await standins.get_workflow_handle(asked.workflow_id).terminate()

    async def cancelled() -> bool:
        return [run.status for run in await runs.list_runs(standins, repo="acme/ended")] == [Status.cancelled]

    assert await until(cancelled)


async def test_short_names_find_the_run(standins: Client) -> None:
    asked = request()
    await runs.start(standins, asked)

    async def listed() -> list[runs.RunSummary]:
        return await runs.list_runs(standins, sha=asked.sha)

    await until(listed)
    for ref in (asked.sha[:10], f"acme/shop@{asked.sha[:7]}", asked.workflow_id, asked.sha):
        assert await runs.resolve(standins, ref) == asked.workflow_id
    assert await runs.resolve(standins, "rollout/staging/shop/3") == "rollout/staging/shop/3"


async def test_an_ambiguous_name_lists_what_it_may_mean(standins: Client) -> None:
    asked = request()
    other = asked.model_copy(update={"pipeline": "nightly"})
    await runs.start(standins, asked)
    await runs.start(standins, other)

    async def listed() -> bool:
        return len(await runs.list_runs(standins, sha=asked.sha)) == 2

    await until(listed)
    with pytest.raises(Conflict, match="several runs") as refused:
        await runs.resolve(standins, asked.sha[:12])
    assert asked.workflow_id in str(refused.value)
    assert other.workflow_id in str(refused.value)


async def test_names_that_find_nothing(standins: Client) -> None:
    with pytest.raises(NotFound, match="no run of a commit 0123456"):
        await runs.resolve(standins, "0123456")
    with pytest.raises(UserError, match="names no run"):
        await runs.resolve(standins, "my run")


async def test_describe_is_the_runs_own_view(standins: Client) -> None:
    asked = request("wait")
    await runs.start(standins, asked)
    view = await runs.describe(standins, asked.workflow_id)
    assert (view.status, view.service, view.run.sha) == (Status.running, "shop", asked.sha)
    assert [stage.name for stage in view.stages] == ["build", "go"]


class Records:
    def __init__(self, *known: RunRecord) -> None:
        self._known = {record.run_id: record for record in known}

    def get(self, run_id: str) -> RunRecord | None:
        return self._known.get(run_id)


async def test_what_temporal_has_forgotten_comes_from_the_records(standins: Client) -> None:
    asked = request()
    record = RunRecord(
        run_id=asked.workflow_id, execution="x", repo=asked.repo, sha=asked.sha, status=Status.passed, version="1.2",
    )  # fmt: skip
    view = await runs.describe(standins, asked.workflow_id, Records(record))
    assert (view.status, view.version, view.run.sha, view.run.provider) == (Status.passed, "1.2", asked.sha, "local")
    with pytest.raises(NotFound):
        await runs.describe(standins, asked.workflow_id, Records())


async def test_an_approval_goes_to_the_waiting_stage(standins: Client) -> None:
    asked = request("wait")
    await runs.start(standins, asked)
    answer = await runs.approve(standins, asked.workflow_id, Approve(actor="bob"))
    assert answer.message == "run: approve go True"
    assert await ended(standins, asked.workflow_id) == Status.passed


async def test_a_workflows_refusal_arrives_as_its_own_class_and_words(standins: Client) -> None:
    asked = request("wait")
    await runs.start(standins, asked)
    with pytest.raises(Denied, match="^mallory may not approve this$"):
        await runs.approve(standins, asked.workflow_id, Approve(actor="mallory"))


async def test_approving_when_nothing_or_too_much_waits(standins: Client) -> None:
    held, two = request("hold"), request("two")
    await runs.start(standins, held)
    await runs.start(standins, two)
    with pytest.raises(Conflict, match="waits for an approval"):
        await runs.approve(standins, held.workflow_id, Approve())
    with pytest.raises(Conflict, match="more than one stage waits for an approval: go, also"):
        await runs.approve(standins, two.workflow_id, Approve())
    assert (await runs.approve(standins, two.workflow_id, Approve(stage="also"))).message == "run: approve also True"


async def test_what_waits_is_found_with_who_takes_the_answer(standins: Client) -> None:
    for title, kind, stage in [("wait", "approval", "go"), ("hold", "held", "check"), ("roll", "rollout", "ship")]:
        asked = request(title)
        await runs.start(standins, asked)
        if title == "roll":
            await until(lambda asked=asked: exists(standins, rollout_id(asked.workflow_id)))
        [waiting] = await runs.find_waiting(standins, await runs.describe(standins, asked.workflow_id))
        assert (waiting.kind, waiting.stage) == (kind, stage)
        assert waiting.workflow_id == (rollout_id(asked.workflow_id) if title == "roll" else asked.workflow_id)


async def exists(client: Client, workflow_id: str) -> bool:
    try:
        return bool(await runs.rollout(client, workflow_id))
    except NotFound:
        return False


@pytest.fixture
async def rolling(standins: Client) -> str:
    """A run whose stage `ship` is a canary that waits at 20 %."""
    asked = request("roll")
    await runs.start(standins, asked)
    await until(lambda: exists(standins, rollout_id(asked.workflow_id)))
    return asked.workflow_id


async def test_questions_about_a_rolling_run_go_to_its_rollout(standins: Client, rolling: str) -> None:
    assert (await runs.pause(standins, rolling, Pause())).message == "rollout: pause"
    assert (await runs.resume(standins, rolling, Resume())).message == "rollout: resume"
    assert (await runs.promote(standins, rolling, Promote(full=True))).message == "rollout: promote full=True"
    assert (await runs.approve(standins, rolling, Approve(actor="bob"))).message == "rollout: approve"


async def test_a_rollout_can_be_asked_by_its_own_id(standins: Client, rolling: str) -> None:
    own = rollout_id(rolling)
    assert (await runs.promote(standins, own, Promote())).message == "rollout: promote full=False"
    assert (await runs.pause(standins, own, Pause())).message == "rollout: pause"
    assert (await runs.approve(standins, own, Approve())).message == "rollout: approve"
    with pytest.raises(Conflict, match="has ended already"):
        await runs.abort(standins, own, Abort())


async def test_abort_ends_the_run_or_only_the_rollout_of_a_stage(standins: Client, rolling: str) -> None:
    assert (await runs.abort(standins, rolling, Abort(), stage="ship")).message == "rollout: abort"
    assert (await runs.abort(standins, rolling, Abort())).message == "run: abort"


async def test_without_a_rollout_there_is_nothing_to_pause_or_promote(standins: Client) -> None:
    asked = request("wait")
    await runs.start(standins, asked)
    for ask in (runs.pause(standins, asked.workflow_id, Pause()), runs.promote(standins, asked.workflow_id, Promote())):
        with pytest.raises(Conflict, match="is rolling out"):
            await ask
    with pytest.raises(Conflict, match="is rolling out"):
        await runs.abort(standins, asked.workflow_id, Abort(), stage="build")


async def test_a_held_run_is_retried_or_skipped_where_it_is(standins: Client) -> None:
    for ask, text in [
        (lambda ref: runs.retry(standins, ref, Retry(stage="check", step=2)), "run: retry check 2"),
        (lambda ref: runs.skip(standins, ref, Skip(stage="check")), "run: skip check"),
    ]:
        asked = request("hold")
        await runs.start(standins, asked)
        await until(lambda asked=asked: runs.describe(standins, asked.workflow_id))
        answer = await ask(asked.workflow_id)
        assert isinstance(answer, Answer)
        assert answer.message == text


async def test_a_failed_run_that_has_ended_is_retried_under_the_same_id(standins: Client) -> None:
    asked = request("fail")
    first = await runs.start(standins, asked)
    await ended(standins, asked.workflow_id)
    again = await runs.retry(standins, asked.workflow_id, Retry())
    assert isinstance(again, runs.Started)
    assert (again.run_id, again.already) == (asked.workflow_id, False)
    assert again.execution != first.execution


async def test_a_run_that_passed_is_not_retried(standins: Client) -> None:
    asked = request("pass")
    await runs.start(standins, asked)
    await ended(standins, asked.workflow_id)
    with pytest.raises(Conflict, match="has passed"):
        await runs.retry(standins, asked.workflow_id, Retry())


async def test_a_question_to_a_run_that_is_not_there(standins: Client) -> None:
    with pytest.raises(NotFound):
        await runs.skip(standins, request().workflow_id, Skip(stage="x"))
