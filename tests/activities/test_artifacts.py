"""Sweeping a real store, real records and real folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.artifacts import Retention
from activities.clients.artifact_store import ArtifactStore
from activities.records import Records
from activities.records.migrate import upgrade
from pipelines.layout import Layout, slug
from pipelines.messages.artifacts import ArtifactMetadata
from pipelines.messages.common import ArtifactRef, Status
from pipelines.messages.quality import RetentionInput
from tests.support.records import deployment, run, stage, step

DAY = 86_400.0
NOW = 2_000_000_000.0
WEEK = RetentionInput(keep_last=0, min_age=7 * DAY)


class Site:
    """One installation; `sweep` at NOW."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        upgrade(f"sqlite:///{self.layout.database}")
        self.records = Records(f"sqlite:///{self.layout.database}")
        self.store = ArtifactStore(self.layout.artifacts)
        self.retention = Retention(self.store, self.records, self.layout, clock=lambda: NOW)

    def put(self, content: str, age: float = 30 * DAY, *, recorded: bool = True, kind: str = "archive") -> ArtifactRef:
        ref = self.store.put_bytes(content.encode(), "app", kind=kind)
        os.utime(self.store.path(ref.digest), (NOW - age, NOW - age))
        if recorded:
            self.records.artifacts.store(ref, ArtifactMetadata(repo="o/r", run_id="r", created_at=NOW - age), now=NOW - age)
        return ref

    def folder(self, path: Path) -> Path:
        path.mkdir(parents=True)
        (path / "file").write_bytes(b"x" * 100)
        return path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.records.close()


def test_old_artifacts_go_with_their_records(site: Site) -> None:
    old, young = site.put("old"), site.put("young", DAY)
    result = site.retention.sweep(WEEK)
    assert [ref.digest for ref in result.removed] == [old.digest]
    assert (result.count, result.kept, result.freed) == (1, 1, 3)
    assert not site.store.has(old.digest)
    assert site.records.artifacts.get(old.digest) is None
    assert site.store.read(young.digest) == b"young"


def test_sweeping_again_finds_nothing(site: Site) -> None:
    site.put("old")
    site.retention.sweep(WEEK)
    again = site.retention.sweep(WEEK)
    assert (again.count, again.freed, again.removed) == (0, 0, [])


def test_a_dry_run_says_the_same_and_removes_nothing(site: Site) -> None:
    old, orphan = site.put("old"), site.put("orphan", recorded=False)
    site.records.runs.upsert(run("ended", status=Status.passed, finished_at=NOW - 30 * DAY))
    log = site.folder(site.layout.logs / slug("ended"))
    dry = site.retention.sweep(WEEK.model_copy(update={"dry_run": True}))
    assert site.store.has(old.digest)
    assert site.store.has(orphan.digest)
    assert log.exists()
    real = site.retention.sweep(WEEK)
    assert real == dry
    assert (real.count, real.folders, real.freed) == (2, 1, 3 + 6 + 100)
    assert not log.exists()


def test_what_an_environment_runs_is_never_removed(site: Site) -> None:
    stable, candidate, forgotten = site.put("stable"), site.put("candidate"), site.put("forgotten")
    site.records.deployments.upsert(deployment("r/1", digest=stable.digest, status="promoted", finished_at=1.0, started_at=1.0))
    site.records.deployments.upsert(deployment("r/2", digest=candidate.digest, started_at=2.0))
    result = site.retention.sweep(RetentionInput(keep_last=0, min_age=0))
    assert [ref.digest for ref in result.removed] == [forgotten.digest]
    assert site.store.read(stable.digest) == b"stable"
    assert site.store.read(candidate.digest) == b"candidate"


def test_what_an_environment_runs_stays_even_when_nothing_else_is_known_of_it(site: Site) -> None:
    stable = site.put("stable", recorded=False)
    site.records.deployments.upsert(deployment("r/1", digest=stable.digest, status="promoted", finished_at=1.0))
    assert site.retention.sweep(WEEK).count == 0
    assert site.store.read(stable.digest) == b"stable"


def test_artifacts_of_runs_under_way_stay(site: Site) -> None:
    site.put("old")
    site.records.runs.upsert(run("r", status=Status.held))
    assert site.retention.sweep(WEEK).count == 0
    site.records.runs.upsert(run("r", status=Status.cancelled, finished_at=NOW))
    assert site.retention.sweep(WEEK).count == 1


def test_a_result_whose_artifact_is_swept_is_not_reused(site: Site) -> None:
    ref = site.put("layer")
    site.records.stages.store("key", "r", stage(layer=ref), at=NOW - 30 * DAY)
    site.retention.sweep(WEEK)
    assert site.records.stages.find("key") is None


def test_what_is_reused_between_decision_and_removal_stays(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = site.put("layer")
    site.records.stages.store("key", "r", stage(layer=ref), at=NOW - 30 * DAY)
    forget = site.records.artifacts.remove

    def reused_meanwhile(digest: str, unused_since: float | None = None) -> bool:
        site.records.artifacts.touch(digest, now=NOW + 1)
        return forget(digest, unused_since)

    monkeypatch.setattr(site.records.artifacts, "remove", reused_meanwhile)
    assert site.retention.sweep(WEEK).count == 0
    assert site.store.read(ref.digest) == b"layer"
    assert site.records.stages.find("key") is not None


def test_files_that_nobody_knows_go_when_they_are_old(site: Site) -> None:
    old, fresh = site.put("old", recorded=False), site.put("fresh", DAY, recorded=False)
    assert [ref.digest for ref in site.retention.sweep(WEEK).removed] == [old.digest]
    assert site.store.has(fresh.digest)


def test_a_sweep_that_was_killed_between_record_and_file_is_finished_by_the_next(site: Site) -> None:
    ref = site.put("old")
    site.records.artifacts.remove(ref.digest)
    assert site.retention.sweep(WEEK).count == 1
    assert not site.store.has(ref.digest)


def test_folders_of_runs_that_ended_long_ago_go(site: Site) -> None:
    layout = site.layout
    site.records.runs.upsert(run("o/r/old", status=Status.failed, finished_at=NOW - 8 * DAY))
    site.records.runs.upsert(run("o/r/new", status=Status.passed, finished_at=NOW - DAY))
    site.records.runs.upsert(run("o/r/going"))
    site.records.steps.store("o/r/old", "test", step("o/r/old:test:0"))
    site.records.steps.store("o/r/new", "test", step("o/r/new:test:0"))
    gone = [
        site.folder(layout.logs / slug("o/r/old")),
        site.folder(layout.workspaces / slug("o/r/old")),
        site.folder(layout.steps / slug("o/r/old:test:0")),
    ]
    stay = [
        site.folder(layout.logs / slug("o/r/new")),
        site.folder(layout.workspaces / slug("o/r/going")),
        site.folder(layout.steps / slug("o/r/new:test:0")),
        site.folder(layout.workspaces / "somebody-elses"),
        site.folder(layout.releases / slug("o/r/old")),
    ]
    result = site.retention.sweep(WEEK)
    assert (result.folders, result.freed) == (3, 300)
    assert [path for path in gone if path.exists()] == []
    assert [path for path in stay if not path.exists()] == []


def test_links_in_a_workspace_are_not_followed(site: Site, tmp_path: Path) -> None:
    outside = site.folder(tmp_path / "outside")
    site.records.runs.upsert(run("old", status=Status.passed, finished_at=NOW - 30 * DAY))
    workspace = site.folder(site.layout.workspaces / "old")
    (workspace / "link").symlink_to(outside)
    (workspace / "dangling").symlink_to("nowhere")
    assert site.retention.sweep(WEEK).folders == 1
    assert not workspace.exists()
    assert (outside / "file").exists()


def test_old_samples_go(site: Site) -> None:
    site.records.samples.store("prod/web", "web-1", NOW - 30 * DAY, {})
    site.records.samples.store("prod/web", "web-1", NOW - DAY, {})
    site.retention.sweep(WEEK)
    assert [sample.at for sample in site.records.samples.between("prod/web", 0.0)] == [NOW - DAY]


def test_the_answer_stays_small(site: Site) -> None:
    for number in range(230):
        site.put(f"content {number}")
    result = site.retention.sweep(WEEK)
    assert (len(result.removed), result.count, result.kept) == (200, 230, 0)
