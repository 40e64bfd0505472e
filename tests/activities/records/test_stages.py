"""Stage results by key, steps, and the evidence that goes with them."""

from activities.records import Records
from pipelines.messages.artifacts import ArtifactMetadata
from pipelines.messages.common import FindingCounts, Status
from tests.support.records import artifact, case, finding, run, stage, step


def test_a_stage_that_passed_is_found_by_its_key(records: Records) -> None:
    result = stage(artifacts=[artifact()], layer=artifact("layer", kind="layer"), coverage=91.5, findings=FindingCounts(low=2))
    records.stages.store("key1", "run1", result)
    assert records.stages.find("key1") == result
    assert records.stages.find("key2") is None


def test_only_what_passed_is_found(records: Records) -> None:
    for status in (Status.failed, Status.cancelled, Status.skipped):
        records.stages.store("key1", f"run-{status}", stage(status=status))
    assert records.stages.find("key1") is None
    assert records.stages.of_run("run-failed") == [stage(status=Status.failed)]


def test_without_a_key_nothing_is_found(records: Records) -> None:
    records.stages.store("", "run1", stage())
    assert records.stages.find("") is None
    assert records.stages.adopt("", "run2", "lint") is None


def test_the_newest_result_is_found(records: Records) -> None:
    records.stages.store("key1", "run1", stage(coverage=1.0), at=10.0)
    records.stages.store("key1", "run2", stage(coverage=2.0), at=20.0)
    found = records.stages.find("key1")
    assert found and found.coverage == 2.0


def test_storing_again_replaces(records: Records) -> None:
    records.stages.store("key1", "run1", stage(artifacts=[artifact("old")]))
    records.stages.store("key1", "run1", stage(artifacts=[artifact("new")]))
    assert [result.artifacts for result in records.stages.of_run("run1")] == [[artifact("new")]]


def test_stages_of_a_run_in_the_order_they_ended(records: Records) -> None:
    records.stages.store("k2", "run1", stage("test"), at=2.0)
    records.stages.store("k1", "run1", stage("lint"), at=1.0)
    records.stages.store("k3", "run2", stage("other"), at=1.5)
    assert [result.stage for result in records.stages.of_run("run1")] == ["lint", "test"]


def test_artifacts_of_a_stage_become_known_with_it(records: Records) -> None:
    records.runs.upsert(run("run1", repo="o/r"))
    records.stages.store("key1", "run1", stage(artifacts=[artifact()], layer=artifact("layer", kind="layer")), at=7.0)
    known = {item.ref.name: item for item in records.artifacts.list()}
    assert set(known) == {"app", "layer"}
    assert (known["app"].metadata.repo, known["app"].metadata.stage, known["app"].used_at) == ("o/r", "lint", 7.0)


def test_what_is_known_of_an_artifact_is_not_lost_when_its_stage_ends(records: Records) -> None:
    records.artifacts.store(artifact(), ArtifactMetadata(run_id="run1", builder="host-a"))
    records.stages.store("key1", "run1", stage(artifacts=[artifact()]))
    assert [item.metadata.builder for item in records.artifacts.list()] == ["host-a"]


def test_a_result_whose_artifact_is_gone_is_never_reused(records: Records) -> None:
    records.stages.store("key1", "run1", stage(artifacts=[artifact("app")]))
    records.stages.store("key2", "run1", stage("test", layer=artifact("layer")))
    records.stages.store("key3", "run1", stage("docs"))
    for gone in ("app", "layer"):
        assert records.artifacts.remove(artifact(gone).digest)
    assert records.stages.find("key1") is None
    assert records.stages.find("key2") is None
    assert records.stages.find("key3") is not None
    assert len(records.stages.of_run("run1")) == 3, "they are shown still"


def test_an_adopted_result_brings_its_evidence(records: Records) -> None:
    records.stages.store("key1", "run1", stage("test[py=3.11]", coverage=88.0))
    records.steps.store("run1", "test[py=3.11]", step())
    records.findings.store("run1", "test[py=3.11]", [finding()], tools=["bandit", "secrets"], source="0")
    records.tests.store("run1", "test[py=3.11]", [case("a"), case("b", runs=["failed", "passed"])])
    records.coverage.store("run1", "test[py=3.11]", 88.0)

    adopted = records.stages.adopt("key1", "run2", "test")

    assert adopted and adopted.coverage == 88.0
    assert records.findings.of_run("run2") == [finding()]
    assert records.findings.tools_of_run("run2") == ["bandit", "secrets"]
    assert [each.name for each in records.tests.of_run("run2", "test")] == ["a", "b"]
    assert records.coverage.of_run("run2") == 88.0
    assert records.steps.of_run("run2") == {"test": [step()]}
    assert [result.stage for result in records.stages.of_run("run2")] == ["test"]


def test_adopting_twice_or_ones_own_result_changes_nothing(records: Records) -> None:
    records.stages.store("key1", "run1", stage())
    records.findings.store("run1", "lint", [finding()])
    for run_id in ("run2", "run2", "run1", "run1"):
        assert records.stages.adopt("key1", run_id, "lint") is not None
    assert records.findings.of_run("run1") == records.findings.of_run("run2") == [finding()]


def test_adopted_evidence_replaces_what_the_run_had(records: Records) -> None:
    records.stages.store("key1", "run1", stage())
    records.findings.store("run2", "lint", [finding("ruff"), finding("mypy", "f2")])
    records.tests.store("run2", "lint", [case("stale", "failed")])
    records.stages.adopt("key1", "run2", "lint")
    assert records.findings.of_run("run2") == []
    assert records.findings.tools_of_run("run2") == []
    assert records.tests.of_run("run2") == []


def test_adopting_makes_artifacts_used(records: Records) -> None:
    records.stages.store("key1", "run1", stage(artifacts=[artifact()]), at=10.0)
    records.stages.adopt("key1", "run2", "lint")
    assert not records.artifacts.remove(artifact().digest, unused_since=11.0)
    assert records.stages.find("key1") is not None


def test_keys_of_steps_whose_run_has_ended(records: Records) -> None:
    records.runs.upsert(run("old", status=Status.passed, finished_at=50.0))
    records.runs.upsert(run("new", status=Status.passed, finished_at=500.0))
    for run_id in ("old", "new", "unknown"):
        records.steps.store(run_id, "test", step(f"{run_id}-key"))
    assert records.steps.keys_finished_before(100.0) == ["old-key"]


def test_steps_of_a_run_by_stage_in_order(records: Records) -> None:
    records.steps.store("run1", "test", step("b", started_at=2.0))
    records.steps.store("run1", "test", step("a", started_at=3.0, status=Status.running))
    records.steps.store("run1", "test", step("a", started_at=3.0, status=Status.failed, exit_code=1, message="no\0pe"))
    records.steps.store("run1", "lint", step("c"))
    found = records.steps.of_run("run1")
    assert {name: [result.key for result in results] for name, results in found.items()} == {"lint": ["c"], "test": ["b", "a"]}
    assert found["test"][1].exit_code == 1
    assert records.stages.steps("run1") == found
    assert records.steps.find("run1", "test", "b") == step("b", started_at=2.0)
    assert records.steps.find("run1", "test", "z") is None
