"""Stages sealed: layers, and workspaces rebuilt from them on another host."""

import os
from pathlib import Path

import pytest

from activities.records import Records
from activities.workspace import StageWorkspaces
from pipelines.errors import SourceError, StepFailed, WorkspaceLost
from pipelines.messages.build import WorkspaceDone
from pipelines.messages.common import RunRequest, Status
from pipelines.spec import ArtifactSpec
from tests.support.stages import files, host, opened, sealing, write


class TestSealing:
    def test_only_what_changed_is_in_the_layer(self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest) -> None:
        workspace = opened(here, run)
        write(workspace, "out/ignored.bin", "by .gitignore")
        write(workspace, "app.py", "print(2)\n")
        Path(workspace.path, "lib/util.py").unlink()
        result = here.seal(sealing(run, workspace))
        assert result.layer and result.layer.kind == "layer"
        rebuilt = opened(there, run, "test", generation=2, layers=[result.layer])
        assert rebuilt.queue == "host-b"
        assert files(rebuilt.path) == files(workspace.path)

    def test_a_stage_that_changed_nothing_has_no_layer(self, here: StageWorkspaces, run: RunRequest) -> None:
        assert here.seal(sealing(run, opened(here, run))).layer is None

    def test_a_lost_host_is_replaced_stage_by_stage(self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest) -> None:
        layers = []
        for number, change in enumerate(({"a": "1", "b": "1"}, {"a": "2"}, {"a": "1", "c": "3"})):
            workspace = opened(here, run, f"s{number}", layers=layers)
            for name, content in change.items():
                write(workspace, name, content)
            if number == 1:
                Path(workspace.path, "b").unlink()
            layer = here.seal(sealing(run, workspace, f"s{number}")).layer
            assert layer is not None
            layers.append(layer)
        rebuilt = opened(there, run, "s3", generation=2, layers=layers)
        assert files(rebuilt.path) == files(workspace.path)
        write(rebuilt, "d", "from there")
        more = there.seal(sealing(run, rebuilt, "s3")).layer
        assert more is not None
        back = opened(here, run, "s4", generation=3, layers=[*layers, more])
        assert files(back.path) == files(rebuilt.path)

    def test_two_hosts_side_by_side_give_each_other_their_layers(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest
    ) -> None:
        mine, theirs = opened(here, run, "build"), opened(there, run, "lint")
        write(mine, "built", "1")
        write(theirs, "linted", "1")
        layers = [here.seal(sealing(run, mine, "build")).layer, there.seal(sealing(run, theirs, "lint")).layer]
        one, two = opened(here, run, "s", layers=layers), opened(there, run, "s", layers=layers)
        assert files(one.path) == files(two.path)
        assert {"built", "linted"} <= set(files(one.path))
        assert here.seal(sealing(run, one, "s")).layer is None, "what a layer brought is not the next stage's own"

    def test_a_failed_stages_work_is_kept_for_its_retry_elsewhere(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest, records: Records
    ) -> None:
        workspace = opened(here, run)
        write(workspace, "first-step.txt", "done")
        failed = here.seal(sealing(run, workspace, status=Status.failed, artifacts=[ArtifactSpec(name="app", paths=["dist"])]))
        assert (failed.status, failed.artifacts) == (Status.failed, [])
        assert records.stages.find("key-build") is None
        retried = opened(there, run, generation=2, layers=[failed.layer])
        assert files(retried.path)["first-step.txt"] == "done"

    def test_sealing_twice_is_sealing_once(self, here: StageWorkspaces, run: RunRequest) -> None:
        workspace = opened(here, run)
        write(workspace, "dist/app.txt", "x")
        seal = sealing(run, workspace, artifacts=[ArtifactSpec(name="app", paths=["dist"])])
        first = here.seal(seal)
        assert first.layer is not None
        assert here.seal(seal) == first

    def test_a_retried_stage_is_sealed_anew(self, here: StageWorkspaces, run: RunRequest) -> None:
        workspace = opened(here, run)
        write(workspace, "x", "1")
        one = here.seal(sealing(run, workspace, status=Status.failed))
        write(workspace, "x", "2")
        two = here.seal(sealing(run, workspace))
        assert one.layer and two.layer and one.layer.digest != two.layer.digest

    def test_the_layer_of_the_try_that_passes_has_what_the_ones_before_did(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest
    ) -> None:
        """A later run reuses the stage by that layer alone."""
        workspace = opened(here, run)
        write(workspace, "first-step.txt", "done")
        here.seal(sealing(run, workspace, status=Status.failed))
        write(workspace, "second-step.txt", "done")
        passed = here.seal(sealing(run, workspace))
        reused = files(opened(there, run, "later", layers=[passed.layer]).path)
        assert {"first-step.txt", "second-step.txt"} <= set(reused)
        write(workspace, "third.txt", "x")
        following = here.seal(sealing(run, workspace, "later"))
        only = files(opened(there, run, "alone", workspace="alone", layers=[following.layer]).path)
        assert "third.txt" in only
        assert "first-step.txt" not in only, "each file is in one layer of stages that passed"

    def test_so_it_has_when_the_try_before_was_on_another_host(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest
    ) -> None:
        workspace = opened(here, run)
        write(workspace, "first-step.txt", "done")
        failed = here.seal(sealing(run, workspace, status=Status.failed))
        elsewhere = opened(there, run, generation=2, layers=[failed.layer])
        write(elsewhere, "second-step.txt", "done")
        passed = there.seal(sealing(run, elsewhere))
        reused = files(opened(here, run, "later", workspace="other", layers=[passed.layer]).path)
        assert {"first-step.txt", "second-step.txt"} <= set(reused)

    def test_equal_content_of_two_stages_is_two_layers(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest
    ) -> None:
        layers = []
        for number, content in enumerate("121"):
            workspace = opened(here, run, f"s{number}", layers=layers)
            write(workspace, "x", content)
            os.utime(Path(workspace.path, "x"), (1e9 + number % 2, 1e9 + number % 2))
            layers.append(here.seal(sealing(run, workspace, f"s{number}")).layer)
        assert files(opened(there, run, layers=layers).path)["x"] == "1"

    def test_a_layer_over_the_limit_is_not_kept_and_says_so(
        self, tmp_path: Path, records: Records, run: RunRequest, there: StageWorkspaces
    ) -> None:
        small = host(tmp_path / "small", tmp_path, records, limit=1 << 20)
        workspace = opened(small, run)
        write(workspace, "big", "x" * (2 << 20))
        result = small.seal(sealing(run, workspace))
        assert "build left 2 MiB in its workspace, more than the 1 MiB" in result.note
        assert records.stages.find("key-build") is None
        assert records.artifacts.list(kind="layer") == []
        assert opened(small, run, "test", layers=[result.layer]).path == workspace.path, "here it is still usable"
        with pytest.raises(SourceError, match="build left 2 MiB"):
            opened(there, run, "test", generation=2, layers=[result.layer])

    def test_a_workspace_that_is_gone_or_was_rebuilt_cannot_be_sealed(self, here: StageWorkspaces, run: RunRequest) -> None:
        workspace = opened(here, run)
        opened(here, run, generation=2)
        with pytest.raises(WorkspaceLost):
            here.seal(sealing(run, workspace))
        here.drop(WorkspaceDone(run_id=run.workflow_id, workspaces=[workspace]))
        with pytest.raises(WorkspaceLost):
            here.seal(sealing(run, workspace))

    def test_without_layer_nothing_is_captured(self, here: StageWorkspaces, run: RunRequest) -> None:
        workspace = opened(here, run)
        write(workspace, "x", "1")
        assert here.seal(sealing(run, workspace, layer=False)).layer is None
        assert here.seal(sealing(run, workspace, "next")).layer is not None

    def test_what_is_refused_goes_into_a_later_layer(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest
    ) -> None:
        workspace = opened(here, run)
        write(workspace, "x", "1")
        with pytest.raises(StepFailed, match="artifact app"):
            here.seal(sealing(run, workspace, artifacts=[ArtifactSpec(name="app", paths=["nothing"])]))
        layer = here.seal(sealing(run, workspace, "next")).layer
        assert files(opened(there, run, layers=[layer]).path)["x"] == "1"
