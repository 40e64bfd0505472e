"""Equal stages that have passed are taken over, if all that they left is there."""

from pathlib import Path

from activities.records import Records
from activities.workspace import StageWorkspaces
from pipelines.messages.build import StageResult
from pipelines.messages.common import RunRequest, Status
from pipelines.spec import ArtifactSpec
from tests.support.stages import files, opened, opening, sealing, step, write


class TestReuse:
    def finished(self, on: StageWorkspaces, run: RunRequest, **more: object) -> StageResult:
        workspace = opened(on, run)
        write(workspace, "dist/app.txt", "x")
        artifacts = [ArtifactSpec(name="app", paths=["dist"])]
        return on.seal(sealing(run, workspace, artifacts=artifacts, steps=[step()], **more))

    def test_an_equal_stage_that_passed_is_taken(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest, records: Records
    ) -> None:
        done = self.finished(here, run)
        other = run.model_copy(update={"pipeline": "nightly"})
        answer = there.open(opening(other, "compile", stage_key="key-build"))
        assert answer.workspace is None
        assert answer.reused == done.model_copy(update={"stage": "compile", "status": Status.reused})
        assert [each.stage for each in records.stages.of_run(other.workflow_id)] == ["compile"]
        later = opened(there, other, "test", layers=[done.layer])
        assert files(later.path)["dist/app.txt"] == "x"

    def test_not_when_a_run_says_no_or_the_key_is_another(self, here: StageWorkspaces, run: RunRequest) -> None:
        self.finished(here, run)
        for request in (
            opening(run.model_copy(update={"reuse": False}), stage_key="key-build"),
            opening(run, stage_key="key-other"),
            opening(run, stage_key=""),
        ):
            answer = here.open(request)
            assert answer.reused is None
            assert answer.workspace is not None

    def test_not_when_something_that_it_left_is_gone(self, here: StageWorkspaces, run: RunRequest, tmp_path: Path) -> None:
        done = self.finished(here, run)
        digest = done.artifacts[0].digest.removeprefix("sha256:")
        (tmp_path / "artifacts/sha256" / digest[:2] / digest).unlink()
        assert here.open(opening(run, stage_key="key-build")).reused is None

    def test_not_when_it_failed(self, here: StageWorkspaces, run: RunRequest) -> None:
        self.finished(here, run, status=Status.failed)
        assert here.open(opening(run, stage_key="key-build")).reused is None
