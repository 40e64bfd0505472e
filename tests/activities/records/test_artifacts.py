"""Which artifacts are known."""

from activities.records import Records
from pipelines.messages.artifacts import ArtifactMetadata
from tests.support.records import artifact


def meta(run_id: str = "run1", **more: str) -> ArtifactMetadata:
    return ArtifactMetadata(run_id=run_id, repo="o/r", facts={"python": "3.11"}, **more)


def test_an_artifact_comes_back_with_where_it_comes_from(records: Records) -> None:
    records.artifacts.store(artifact(), meta(sha="abc", builder="host-a"), now=5.0)
    found = records.artifacts.get(artifact().digest)
    assert found and found.ref == artifact()
    assert found.metadata == meta(sha="abc", builder="host-a").model_copy(update={"created_at": 5.0})
    assert found.used_at == 5.0
    assert records.artifacts.get("sha256:none") is None


def test_storing_again_is_using_and_keeps_when_it_was_made(records: Records) -> None:
    records.artifacts.store(artifact(), meta(), now=5.0)
    records.artifacts.store(artifact(), meta(stage="build"), now=9.0)
    (found,) = records.artifacts.list()
    assert (found.metadata.created_at, found.used_at, found.metadata.stage) == (5.0, 9.0, "build")


def test_the_same_bytes_may_be_several_artifacts(records: Records) -> None:
    records.artifacts.store(artifact("app", "same"), meta("run1"))
    records.artifacts.store(artifact("app", "same"), meta("run2"))
    records.artifacts.store(artifact("copy", "same"), meta("run2"))
    assert len(records.artifacts.list()) == 3
    records.artifacts.remove(artifact("app", "same").digest)
    assert records.artifacts.list() == []


def test_artifacts_are_listed_by_what_they_are_newest_first(records: Records) -> None:
    for number in range(3):
        records.artifacts.store(artifact("app", f"v{number}"), meta(f"run{number}"), now=float(number))
    records.artifacts.store(artifact("app-sbom", "sbom", "sbom"), meta("run0", describes=artifact("app", "v0").digest), now=9.0)
    names = lambda **filters: [item.ref.digest for item in records.artifacts.list(**filters)]  # noqa: E731
    digests = [artifact("app", f"v{number}").digest for number in (2, 1, 0)]
    assert names(name="app") == names(repo="o/r", kind="archive") == digests
    assert names(name="app", limit=1) == digests[:1]
    assert names(run_id="run1") == digests[1:2]
    assert names(describes=digests[2]) == [artifact("app-sbom", "sbom").digest]
    assert names(repo="o/other") == []


def test_removing_what_was_used_meanwhile_does_nothing(records: Records) -> None:
    records.artifacts.store(artifact(), now=5.0)
    assert records.artifacts.touch(artifact().digest, now=20.0)
    assert not records.artifacts.remove(artifact().digest, unused_since=10.0)
    assert records.artifacts.list()
    assert records.artifacts.remove(artifact().digest, unused_since=20.0)
    assert not records.artifacts.touch(artifact().digest)


def test_removing_twice_is_removing_once(records: Records) -> None:
    records.artifacts.store(artifact())
    assert records.artifacts.remove(artifact().digest)
    assert records.artifacts.remove(artifact().digest)
