"""Retention: above all, what it never removes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.messages.artifacts import ArtifactMetadata, StoredArtifact
from pipelines.messages.notify import DeploymentRecord
from pipelines.messages.quality import RetentionInput
from pipelines.retention import needed_by_environments, removable
from tests.support.records import artifact, deployment, digest

NOW = 1_000_000.0
DAY = 86_400.0
STRICT = RetentionInput(keep_last=0, min_age=0)


def stored(content: str, age: float = 100 * DAY, kind: str = "archive", **metadata: str) -> StoredArtifact:
    made = ArtifactMetadata(**{"repo": "o/r", "created_at": NOW - age} | metadata)
    return StoredArtifact(ref=artifact(metadata.get("stage") or "app", content, kind), metadata=made, used_at=NOW - age)


def promoted(number: int, release: str, **more: object) -> DeploymentRecord:
    base = {"release_id": release, "digest": digest(release), "status": "promoted", "started_at": float(number)}
    return deployment(f"rollout/prod/web/{number}", **base | {"finished_at": number + 0.5} | more)


def removed(artifacts: list[StoredArtifact], *deployments: DeploymentRecord, policy: RetentionInput = STRICT) -> set[str]:
    return {ref.digest for ref in removable(artifacts, deployments, policy, NOW)}


def test_what_nobody_needs_goes() -> None:
    assert removed([stored("a"), stored("b")]) == {digest("a"), digest("b")}
    assert removed([]) == set()


def test_each_digest_once_and_sorted() -> None:
    twice = [stored("a", run_id="run1"), stored("a", run_id="run2"), stored("b")]
    refs = removable(twice, [], STRICT, NOW)
    assert [ref.digest for ref in refs] == sorted({digest("a"), digest("b")})


def test_young_ones_stay() -> None:
    policy = RetentionInput(keep_last=0, min_age=7 * DAY)
    assert removed([stored("old", 8 * DAY), stored("young", 6 * DAY), stored("future", -DAY)], policy=policy) == {digest("old")}


def test_old_ones_that_were_used_lately_stay() -> None:
    policy = RetentionInput(keep_last=0, min_age=7 * DAY)
    used = stored("a", 90 * DAY).model_copy(update={"used_at": NOW - DAY})
    assert removed([used], policy=policy) == set()


def test_the_newest_of_each_repository_name_and_kind_stay() -> None:
    artifacts = [
        *[stored(f"app{n}", (10 + n) * DAY) for n in range(4)],
        *[stored(f"other{n}", (10 + n) * DAY, repo="o/other") for n in range(3)],
        *[stored(f"docs{n}", (10 + n) * DAY, stage="docs") for n in range(3)],
        *[stored(f"layer{n}", (10 + n) * DAY, kind="layer") for n in range(3)],
    ]
    policy = RetentionInput(keep_last=2, min_age=0)
    gone = {digest(name) for name in ("app2", "app3", "other2", "docs2", "layer2")}
    assert removed(artifacts, policy=policy) == gone


def test_equal_artifacts_of_many_runs_count_as_one_of_the_newest() -> None:
    same = [stored("same", (10 + n) * DAY, run_id=f"run{n}") for n in range(5)]
    policy = RetentionInput(keep_last=2, min_age=0)
    assert removed([*same, stored("older", 50 * DAY), stored("oldest", 60 * DAY)], policy=policy) == {digest("oldest")}


def test_artifacts_of_runs_under_way_stay() -> None:
    artifacts = [stored("a", run_id="going"), stored("b", run_id="ended")]
    assert [ref.digest for ref in removable(artifacts, [], STRICT, NOW, {"going"})] == [digest("b")]


def test_images_are_left_to_their_registry() -> None:
    assert removed([stored("image", kind="image")]) == set()


def test_an_sbom_lives_as_long_as_what_it_describes() -> None:
    kept, gone = stored("web-1"), stored("web-0")
    sboms = [stored(f"sbom-of-{name}", kind="sbom", describes=digest(name)) for name in ("web-1", "web-0")]
    signature = stored("signature", kind="report", describes=digest("sbom-of-web-1"))
    assert removed([kept, gone, *sboms, signature], promoted(1, "web-1")) == {digest("web-0"), digest("sbom-of-web-0")}


def test_what_runs_and_what_can_be_returned_to_stays() -> None:
    records = [promoted(n, f"web-{n}") for n in range(5)]
    assert needed_by_environments(records, returnable=3) == {digest(f"web-{n}") for n in (2, 3, 4)}


def test_a_release_that_was_returned_to_is_the_newest() -> None:
    records = [promoted(n, f"web-{n}") for n in range(4)] + [promoted(9, "web-0", rollback=True)]
    assert needed_by_environments(records, returnable=2) == {digest("web-0"), digest("web-3")}


def test_rollouts_under_way_stay_however_old() -> None:
    going = promoted(1, "web-going", status="started", finished_at=None)
    tidying = promoted(2, "web-tidying", finished_at=None)
    records = [going, tidying, *[promoted(10 + n, f"web-{n}") for n in range(3)]]
    assert needed_by_environments(records, returnable=1) == {digest("web-going"), digest("web-tidying"), digest("web-2")}


def test_the_newest_rollout_stays_even_when_it_failed() -> None:
    failed = [promoted(n, f"bad-{n}", status="failed") for n in (6, 7)]
    assert needed_by_environments([promoted(1, "web-1"), *failed]) == {digest("web-1"), digest("bad-7")}


def test_each_place_has_its_own_memory() -> None:
    staging = [promoted(n, f"s-{n}", environment="staging") for n in range(3)]
    api = [promoted(n, f"api-{n}", service="api") for n in range(3)]
    assert needed_by_environments([*staging, *api], returnable=1) == {digest("s-2"), digest("api-2")}


CONTENT = st.sampled_from([f"c{n}" for n in range(8)])
ARTIFACTS = st.lists(
    st.builds(
        lambda content, age, run, kind, describes: stored(
            content, age, kind, run_id=run, describes=digest(describes) if describes else ""
        ),
        CONTENT,
        st.floats(-DAY, 90 * DAY),
        st.sampled_from(["r1", "r2", "r3"]),
        st.sampled_from(["archive", "layer", "sbom", "image"]),
        st.none() | CONTENT,
    ),
    max_size=15,
)
DEPLOYMENTS = st.lists(
    st.builds(
        lambda number, release, status, environment, ended: promoted(
            number, release, status=status, environment=environment, finished_at=number + 1.0 if ended else None
        ),
        st.integers(0, 50),
        CONTENT,
        st.sampled_from(["started", "promoted", "rolled-back", "aborted", "superseded", "unchanged", "failed"]),
        st.sampled_from(["prod", "staging"]),
        st.booleans(),
    ),
    max_size=15,
)
POLICIES = st.builds(RetentionInput, keep_last=st.integers(-1, 4), min_age=st.floats(0, 60 * DAY))


def stable_of(records: list[DeploymentRecord], environment: str) -> DeploymentRecord | None:
    """What an environment runs: told another way than in the code under test."""
    best = None
    for record in records:
        if (
            record.environment == environment
            and record.status == "promoted"
            and (not best or record.started_at > best.started_at)
        ):
            best = record
    return best


@given(ARTIFACTS, DEPLOYMENTS, POLICIES, st.sets(st.sampled_from(["r1", "r2", "r3"])))
def test_nothing_that_is_needed_is_ever_removed(
    artifacts: list[StoredArtifact], deployments: list[DeploymentRecord], policy: RetentionInput, busy: set[str]
) -> None:
    gone = {ref.digest for ref in removable(artifacts, deployments, policy, NOW, busy)}
    for environment in ("prod", "staging"):
        stable = stable_of(deployments, environment)
        assert stable is None or stable.digest not in gone
    assert gone.isdisjoint({record.digest for record in deployments if record.finished_at is None})
    assert gone.isdisjoint({record.digest for record in deployments if record.status == "promoted"}), (
        "fewer than can be returned to"
    )
    assert gone.isdisjoint({item.ref.digest for item in artifacts if item.metadata.run_id in busy or item.ref.kind == "image"})
    assert gone.isdisjoint({item.ref.digest for item in artifacts if NOW - item.metadata.created_at < policy.min_age})
    kept = {item.ref.digest for item in artifacts} - gone
    assert gone.isdisjoint({item.ref.digest for item in artifacts if item.metadata.describes in kept})
    assert gone <= {item.ref.digest for item in artifacts}


@given(ARTIFACTS, DEPLOYMENTS, POLICIES)
def test_removing_twice_is_removing_once(
    artifacts: list[StoredArtifact], deployments: list[DeploymentRecord], policy: RetentionInput
) -> None:
    gone = {ref.digest for ref in removable(artifacts, deployments, policy, NOW)}
    left = [item for item in artifacts if item.ref.digest not in gone]
    assert removable(left, deployments, policy, NOW) == []


@given(ARTIFACTS, DEPLOYMENTS, st.integers(0, 3))
def test_keeping_more_never_removes_more(artifacts: list[StoredArtifact], deployments: list[DeploymentRecord], keep: int) -> None:
    less = removed(artifacts, *deployments, policy=RetentionInput(keep_last=keep, min_age=DAY))
    more = removed(artifacts, *deployments, policy=RetentionInput(keep_last=keep + 1, min_age=2 * DAY))
    assert more <= less
