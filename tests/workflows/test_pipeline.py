"""The DAG of a run: order, parallelism, conditions, matrix, and how it ends."""

from __future__ import annotations

import pytest

from pipelines.errors import SourceError, Unavailable
from pipelines.messages.common import ArtifactRef, Status
from pipelines.ports import DROP_WORKSPACES, OPEN_STAGE, RESOLVE, RUN_STEP, SEAL_STAGE
from tests.support.ended import failure
from tests.support.fakes import Gate, World, fails, pipeline, raises, step, times, waits


async def test_stages_run_in_the_order_of_their_needs(world: World) -> None:
    world.pipeline = pipeline({"build": [], "test": ["build"], "lint": ["build"], "pack": ["test", "lint"]})
    result = await (await world.start()).result()
    assert result.status == Status.passed
    assert result.stages == dict.fromkeys(["build", "test", "lint", "pack"], Status.passed)
    ended = {call.key: call.ended or 0 for call in world.of(RUN_STEP)}
    began = {call.key: call.started for call in world.of(RUN_STEP)}
    assert ended["build/0"] < min(began["test/0"], began["lint/0"])
    assert max(ended["test/0"], ended["lint/0"]) < began["pack/0"]


async def test_stages_that_do_not_need_each_other_run_at_the_same_time(world: World) -> None:
    together = Gate()
    world.pipeline = pipeline({"a": [], "b": [], "c": []})
    world.always(RUN_STEP, "*", waits(together))
    run = await world.start()
    await world.until(lambda: together.waiting == 3)
    view = await world.view(run)
    assert [stage.status for stage in view.stages] == [Status.running] * 3
    together.open()
    assert (await run.result()).status == Status.passed


async def test_steps_of_a_stage_run_one_after_another_on_one_host(world: World) -> None:
    steps = [step("make"), {"uses": "pytest"}, step("make pack")]
    world.pipeline = pipeline({"test": {"steps": steps}})
    await (await world.start()).result()
    assert world.order(RUN_STEP) == ["test/0", "test/1", "test/2"]
    assert [call.queue for call in world.of(RUN_STEP)] == ["host-a"] * 3
    assert [call.queue for call in world.of(OPEN_STAGE)] == ["tests"]


async def test_a_step_gets_its_surroundings(world: World) -> None:
    stages = {"build": {"matrix": {"py": [3.11]}, "steps": [step()], "env": {"MODE": "fast"}}}
    world.pipeline = pipeline(stages, env={"MODE": "slow", "REGION": "eu"})
    await (await world.start(world.request(branch="feature/x"))).result()
    given = world.of(RUN_STEP)[0].arg.env
    assert given["MODE"] == "fast"
    assert given["REGION"] == "eu"
    assert given["MATRIX_PY"] == "3.11"
    assert given["SWITCHYARD_BRANCH"] == "feature/x"
    assert given["SWITCHYARD_VERSION"] == "1.0.0"


async def test_a_failed_step_ends_its_stage_and_the_run(world: World) -> None:
    world.pipeline = pipeline({"build": {"steps": [step("a"), step("b"), step("c")]}, "test": ["build"]})
    world.plan(RUN_STEP, "build/1", fails("2 problems"))
    run = await world.start()
    error = await failure(run)
    assert error.type == "RunFailed"
    assert "2 problems" in str(error)
    assert world.order(RUN_STEP) == ["build/0", "build/1"]
    view = await world.view(run)
    assert [stage.status for stage in view.stages] == [Status.failed, Status.pending]
    assert [each.status for each in view.stages[0].steps] == [Status.passed, Status.failed]


async def test_what_a_failed_stage_left_is_collected_too(world: World) -> None:
    world.pipeline = pipeline({"build": []})
    world.plan(RUN_STEP, "build/0", fails())
    await failure(await world.start())
    sealed = world.of(SEAL_STAGE)[0].arg
    assert sealed.status == Status.failed
    assert [each.status for each in sealed.steps] == [Status.failed]


async def test_a_failure_stops_the_running_siblings(world: World) -> None:
    slow = Gate()
    world.pipeline = pipeline({"slow": [], "bad": [], "after": ["slow"]})
    world.plan(RUN_STEP, "slow/0", waits(slow))
    world.plan(RUN_STEP, "bad/0", waits(bad := Gate(), fails("no")))
    run = await world.start()
    await world.until(lambda: slow.waiting == 1 and bad.waiting == 1)
    bad.open()
    await failure(run)
    assert [call.outcome for call in world.of(RUN_STEP, "slow/0")] == ["cancelled"]
    assert {stage.name: stage.status for stage in (await world.view(run)).stages} == {
        "slow": Status.cancelled,
        "bad": Status.failed,
        "after": Status.pending,
    }


async def test_without_fail_fast_the_siblings_go_on_and_only_dependants_stay_behind(world: World) -> None:
    slow = Gate()
    world.pipeline = pipeline({"slow": [], "bad": [], "after": ["slow"], "never": ["bad"]}, fail_fast=False)
    world.plan(RUN_STEP, "slow/0", waits(slow))
    world.plan(RUN_STEP, "bad/0", fails())
    run = await world.start()
    await world.until(lambda: world.count(SEAL_STAGE, "bad") == 1)
    slow.open()
    await failure(run)
    assert {stage.name: stage.status for stage in (await world.view(run)).stages} == {
        "slow": Status.passed,
        "bad": Status.failed,
        "after": Status.passed,
        "never": Status.pending,
    }


async def test_a_stage_that_may_fail_holds_nobody_up(world: World) -> None:
    world.pipeline = pipeline({"lint": {"steps": [step()], "allow_failure": True}, "build": ["lint"]})
    world.plan(RUN_STEP, "lint/0", fails())
    result = await (await world.start()).result()
    assert result.status == Status.passed
    assert result.stages == {"lint": Status.failed, "build": Status.passed}


async def test_a_step_that_may_fail_holds_nobody_up(world: World) -> None:
    world.pipeline = pipeline({"build": {"steps": [step(allow_failure=True), step("b")]}})
    world.plan(RUN_STEP, "build/0", fails())
    run = await world.start()
    assert (await run.result()).status == Status.passed
    assert [each.status for each in (await world.view(run)).stages[0].steps] == [Status.failed, Status.passed]


async def test_conditions_skip_stages_and_what_only_needs_them(world: World) -> None:
    world.changed = ["src/app.py"]
    world.pipeline = pipeline(
        {
            "docs": {"steps": [step()], "when": {"changed": ["docs/**"]}},
            "publish": ["docs"],
            "release": {"steps": [step()], "when": {"branch": ["release/*"]}},
            "code": {"steps": [step()], "when": {"changed": ["src/**"], "event": ["push"]}},
        }
    )
    run = await world.start()
    result = await run.result()
    assert result.stages == {
        "docs": Status.skipped,
        "publish": Status.skipped,
        "release": Status.skipped,
        "code": Status.passed,
    }
    assert world.order(RUN_STEP) == ["code/0"]
    reasons = {stage.name: stage.reason for stage in (await world.view(run)).stages}
    assert "docs/**" in reasons["docs"]
    assert "release/*" in reasons["release"]


async def test_a_run_whose_event_is_not_wanted_is_skipped(world: World) -> None:
    world.pipeline = pipeline({"build": []}, on={"push": ["main"]})
    result = await (await world.start(world.request(branch="feature"))).result()
    assert result.status == Status.skipped
    assert "feature" in result.reason
    assert world.count(OPEN_STAGE) == 0


async def test_every_cell_of_a_matrix_has_a_workspace_of_its_own(world: World) -> None:
    world.pipeline = pipeline({"test": {"matrix": {"py": [3.11, 3.12]}, "steps": [step()]}, "pack": ["test"]})
    result = await (await world.start()).result()
    assert result.stages == {"test[py=3.11]": Status.passed, "test[py=3.12]": Status.passed, "pack": Status.passed}
    assert {call.arg.workspace for call in world.of(OPEN_STAGE)} == {"test[py=3.11]", "test[py=3.12]", "shared"}
    assert world.order(RUN_STEP)[-1] == "pack/0"


async def test_a_stage_gets_what_the_ones_before_left(world: World) -> None:
    world.pipeline = pipeline(
        {"build": [], "alone": {"steps": [step()], "workspace": "isolated"}, "pack": ["build", "alone"]}
    )  # fmt: skip
    await (await world.start()).result()
    opened = {call.arg.stage: [layer.name for layer in call.arg.layers] for call in world.of(OPEN_STAGE)}
    assert opened["alone"] == []
    assert sorted(opened["pack"]) == ["alone-layer", "build-layer"]


async def test_infrastructure_errors_are_retried_and_real_failures_are_not(world: World) -> None:
    world.pipeline = pipeline({"a": {"steps": [step()]}, "b": ["a"]})
    world.plan(RUN_STEP, "a/0", times(2, raises(Unavailable("the disk is away"))))
    world.plan(RUN_STEP, "b/0", fails())
    await failure(await world.start())
    assert [call.attempt for call in world.of(RUN_STEP, "a/0")] == [1, 2, 3]
    assert world.count(RUN_STEP, "b/0") == 1


async def test_infrastructure_errors_are_retried_as_often_as_the_stage_says(world: World) -> None:
    world.pipeline = pipeline({"a": {"steps": [step()], "retry": {"infrastructure": 1}}})
    world.always(RUN_STEP, "a/0", raises(Unavailable("the disk is away")))
    error = await failure(await world.start())
    assert "the disk is away" in str(error)
    assert world.count(RUN_STEP, "a/0") == 2


async def test_a_stage_may_retry_its_own_failures(world: World) -> None:
    world.pipeline = pipeline({"a": {"steps": [step("x"), step("y")], "retry": {"failure": 2}}})
    world.plan(RUN_STEP, "a/1", times(2, fails("flaky")))
    run = await world.start()
    assert (await run.result()).status == Status.passed
    assert [call.arg.attempt for call in world.of(RUN_STEP, "a/1")] == [1, 2, 3]
    assert world.count(RUN_STEP, "a/0") == 1
    assert (await world.view(run)).stages[0].steps[1].attempt == 3


async def test_a_stage_has_its_time(world: World) -> None:
    forever = Gate()
    world.pipeline = pipeline({"a": {"steps": [step()], "timeout": 0.3}})
    world.plan(RUN_STEP, "a/0", waits(forever))
    error = await failure(await world.start())
    assert "timed out after 0.3 s" in str(error)
    assert [call.outcome for call in world.of(RUN_STEP)] == ["cancelled"]
    assert world.of(SEAL_STAGE)[0].arg.status == Status.failed


async def test_a_run_has_its_time(world: World) -> None:
    world.pipeline = pipeline({"a": [], "b": ["a"]}, timeout=0.3)
    world.plan(RUN_STEP, "a/0", waits(Gate()))
    run = await world.start()
    assert "timed out after 0.3 s" in str(await failure(run))
    assert [call.outcome for call in world.of(RUN_STEP)] == ["cancelled"]
    assert [stage.status for stage in (await world.view(run)).stages] == [Status.cancelled, Status.pending]


async def test_a_commit_that_cannot_be_had_fails_the_run_in_the_words_of_the_source(world: World) -> None:
    world.plan(RESOLVE, "*", raises(SourceError("there is no commit 1234", "Push it first")))
    error = await failure(await world.start())
    assert str(error).endswith("there is no commit 1234. Push it first")
    assert world.count(RESOLVE) == 1


async def test_workspaces_go_when_the_run_has_passed_and_stay_when_it_failed(world: World) -> None:
    world.pipeline = pipeline({"a": []})
    await (await world.start()).result()
    assert [each.name for each in world.of(DROP_WORKSPACES)[0].arg.workspaces] == ["shared"]
    assert world.workspaces == {}
    world.plan(RUN_STEP, "a/0", fails())
    await failure(await world.start(world.request(reuse=False)))
    assert world.count(DROP_WORKSPACES) == 1
    assert len(world.workspaces) == 1


async def test_workspaces_that_cannot_be_removed_do_not_fail_a_run_that_passed(world: World) -> None:
    world.always(DROP_WORKSPACES, "*", raises(Unavailable("busy")))
    assert (await (await world.start()).result()).status == Status.passed
    assert world.count(DROP_WORKSPACES) == 2


async def test_an_artifact_of_a_stage_is_in_the_view(world: World) -> None:
    world.pipeline = pipeline({"pack": {"steps": [step()], "artifacts": [{"name": "app", "paths": ["dist"]}]}})
    run = await world.start()
    await run.result()
    artifacts: list[ArtifactRef] = (await world.view(run)).stages[0].artifacts
    assert [artifact.name for artifact in artifacts] == ["app"]


@pytest.mark.parametrize("fork", [False, True])
async def test_pull_requests_from_forks_get_no_secrets(world: World, fork: bool) -> None:
    stage = {"steps": [{"run": "make", "secrets": ["TOKEN"]}, step()], "secrets": ["KEY"]}
    refs = {"TOKEN": {"env": "T"}, "KEY": {"file": "/k"}, "OTHER": {"env": "O"}}
    world.pipeline = pipeline({"build": stage}, secrets=refs)
    await (await world.start(world.request(event="pull_request", fork=fork))).result()
    given = [sorted(call.arg.secrets) for call in world.of(RUN_STEP)]
    assert given == ([[], []] if fork else [["KEY", "TOKEN"], ["KEY"]])
