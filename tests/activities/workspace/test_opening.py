"""Workspaces opened: made once, again in milliseconds, and dropped."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pytest

from activities.clients.workspaces import host_queue
from activities.records import Records
from activities.steps.folder import identity
from activities.workspace import StageWorkspaces
from pipelines.errors import SourceError
from pipelines.messages.build import WorkspaceDone
from pipelines.messages.common import RunRequest
from tests.support.stages import files, host, opened, opening, sealing, write


class TestOpening:
    def test_the_commits_files_on_this_hosts_queue(self, here: StageWorkspaces, run: RunRequest) -> None:
        workspace = opened(here, run)
        assert (workspace.queue, workspace.host, workspace.generation) == ("host-a", "a", 1)
        assert set(files(workspace.path)) == {"app.py", "lib/util.py", "requirements.txt", ".gitignore"}
        assert host_queue("a") == "host-a"

    def test_again_is_the_same_folder_with_what_steps_did(self, here: StageWorkspaces, run: RunRequest) -> None:
        first = opened(here, run)
        write(first, "made.txt", "by a step")
        inode = Path(first.path).stat().st_ino
        assert opened(here, run, "test") == first
        assert Path(first.path).stat().st_ino == inode
        assert files(first.path)["made.txt"] == "by a step"

    def test_again_takes_milliseconds(self, here: StageWorkspaces, run: RunRequest) -> None:
        opened(here, run)
        took = []
        for _ in range(20):
            began = time.perf_counter()
            opened(here, run)
            took.append(time.perf_counter() - began)
        assert median(took) < 0.02, f"{median(took) * 1000:.1f} ms"

    def test_workspaces_of_a_run_and_of_other_runs_are_apart(self, here: StageWorkspaces, run: RunRequest) -> None:
        other = run.model_copy(update={"pipeline": "nightly"})
        paths = {opened(here, run).path, opened(here, run, workspace="test[py=3.11]").path, opened(here, other).path}
        assert len(paths) == 3

    def test_a_later_generation_is_made_anew(self, here: StageWorkspaces, run: RunRequest) -> None:
        first = opened(here, run)
        write(first, "made.txt", "before the host was given up")
        before = identity(Path(first.path))
        again = opened(here, run, generation=2)
        assert (again.path, again.generation) == (first.path, 2)
        assert "made.txt" not in files(again.path)
        assert identity(Path(again.path)) != before, "steps must not take what they did there for done here"

    def test_an_earlier_generation_gets_what_is_there(self, here: StageWorkspaces, run: RunRequest) -> None:
        write(opened(here, run, generation=3), "made.txt", "x")
        again = opened(here, run, generation=1)
        assert (again.generation, files(again.path)["made.txt"]) == (3, "x")

    def test_many_at_once_make_it_once(self, here: StageWorkspaces, run: RunRequest) -> None:
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(lambda number: opened(here, run, f"s{number}"), range(6)))
        assert len({workspace.path for workspace in found}) == 1
        assert len(files(found[0].path)) == 4

    def test_without_need_nothing_is_made(self, here: StageWorkspaces, run: RunRequest, tmp_path: Path) -> None:
        answer = here.open(opening(run, need_workspace=False))
        assert (answer.workspace, answer.reused) == (None, None)
        assert not (tmp_path / "host-a" / "workspaces").exists()

    def test_a_commit_that_is_not_there_leaves_nothing_half(self, here: StageWorkspaces, run: RunRequest) -> None:
        with pytest.raises(SourceError):
            opened(here, run.model_copy(update={"sha": "1" * 40}))
        assert opened(here, run).generation == 1

    def test_a_layer_that_is_gone_says_what_to_do(self, here: StageWorkspaces, run: RunRequest, tmp_path: Path) -> None:
        workspace = opened(here, run)
        write(workspace, "made.txt", "x")
        layer = here.seal(sealing(run, workspace)).layer
        assert layer is not None
        shutil.rmtree(tmp_path / "artifacts" / "sha256")
        with pytest.raises(SourceError, match="cannot be rebuilt.*without reuse"):
            opened(here, run, generation=2, layers=[layer])


class TestDropping:
    def test_nothing_is_left(self, here: StageWorkspaces, run: RunRequest, tmp_path: Path) -> None:
        shared, isolated = opened(here, run), opened(here, run, workspace="test[py=3.11]")
        Path(shared.path, "lib").chmod(0o555)
        done = WorkspaceDone(run_id=run.workflow_id, workspaces=[shared, isolated])
        here.drop(done)
        here.drop(done)
        assert [path.name for path in (tmp_path / "host-a/workspaces").iterdir()] == [".locks"]
        assert opened(here, run).path == shared.path

    def test_only_what_is_named(self, here: StageWorkspaces, run: RunRequest) -> None:
        shared, isolated = opened(here, run), opened(here, run, workspace="other")
        here.drop(WorkspaceDone(run_id=run.workflow_id, workspaces=[shared]))
        assert not Path(shared.path).exists()
        assert Path(isolated.path).exists()


def test_long_work_beats(tmp_path: Path, records: Records, run: RunRequest) -> None:
    beats: list[int] = []
    beating = host(tmp_path / "beats", tmp_path, records, beat=lambda: beats.append(1))
    workspace = opened(beating, run)
    write(workspace, "x", "1")
    beating.seal(sealing(run, workspace))
    assert beats
