"""Stages on hosts: opened, sealed, rebuilt elsewhere, reused, dropped; whatever is killed in between."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pytest

from activities.clients.workspaces import host_queue
from activities.records import Records
from activities.records.migrate import upgrade
from activities.steps.folder import identity
from activities.workspace import StageWorkspaces
from pipelines.errors import HostLost, SourceError, StepFailed
from pipelines.messages.build import StageResult, Workspace, WorkspaceDone
from pipelines.messages.common import RunRequest, Status
from pipelines.spec import ArtifactSpec, CacheSpec, Reports
from tests.support.repos import Repo
from tests.support.stages import files, host, opening, request_of, sealing, step


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "origin")
    repo.commit({"app.py": "print(1)\n", "lib/util.py": "x = 1\n", "requirements.txt": "six\n", ".gitignore": "out/\n"})
    return repo


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    url = f"sqlite:///{tmp_path}/records.sqlite"
    upgrade(url)
    records = Records(url)
    yield records
    records.close()


@pytest.fixture
def here(tmp_path: Path, records: Records) -> StageWorkspaces:
    return host(tmp_path / "host-a", tmp_path, records)


@pytest.fixture
def there(tmp_path: Path, records: Records) -> StageWorkspaces:
    return host(tmp_path / "host-b", tmp_path, records, "b")


@pytest.fixture
def run(repo: Repo) -> RunRequest:
    return request_of(repo)


def opened(on: StageWorkspaces, run: RunRequest, stage: str = "build", **more: object) -> Workspace:
    workspace = on.open(opening(run, stage, **more)).workspace
    assert workspace is not None
    return workspace


def write(workspace: Workspace, name: str, content: str) -> None:
    path = Path(workspace.path, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def marker_of(workspace: Workspace) -> Path:
    return Path(workspace.path).parent / "marker.json"


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
        with pytest.raises(HostLost):
            here.seal(sealing(run, workspace))
        here.drop(WorkspaceDone(run_id=run.workflow_id, workspaces=[workspace]))
        with pytest.raises(HostLost):
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


class TestCaches:
    cache = CacheSpec(path="deps", key=["requirements.txt"])

    def saved(self, on: StageWorkspaces, run: RunRequest, content: str = "six", **more: object) -> Workspace:
        workspace = opened(on, run, caches=[self.cache])
        write(workspace, "deps/six.py", content)
        on.seal(sealing(run, workspace, caches=[self.cache], **more))
        return workspace

    def another(self, repo: Repo, change: dict[str, str], **more: object) -> RunRequest:
        repo.commit(change)
        return request_of(repo, **more)

    def test_restored_in_the_next_run_with_equal_key_files(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest, repo: Repo
    ) -> None:
        first = self.saved(here, run)
        write(first, "deps/six.py", "changed after it was kept")
        workspace = opened(there, self.another(repo, {"app.py": "print(3)"}), caches=[self.cache])
        assert files(workspace.path)["deps/six.py"] == "six"

    def test_not_with_other_key_files(self, here: StageWorkspaces, run: RunRequest, repo: Repo) -> None:
        self.saved(here, run)
        workspace = opened(here, self.another(repo, {"requirements.txt": "seven"}), caches=[self.cache])
        assert "deps/six.py" not in files(workspace.path)

    def test_a_restored_cache_is_part_of_the_stages_layer(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest, repo: Repo
    ) -> None:
        self.saved(here, run)
        later = self.another(repo, {"app.py": "print(3)"})
        workspace = opened(here, later, caches=[self.cache])
        layer = here.seal(sealing(later, workspace, caches=[self.cache])).layer
        assert files(opened(there, later, "test", generation=2, layers=[layer]).path)["deps/six.py"] == "six"

    def test_what_the_steps_removed_does_not_come_back(self, here: StageWorkspaces, run: RunRequest, repo: Repo) -> None:
        self.saved(here, run)
        later = self.another(repo, {"app.py": "print(3)"})
        workspace = opened(here, later, caches=[self.cache])
        shutil.rmtree(Path(workspace.path, "deps"))
        assert "deps/six.py" not in files(opened(here, later, "test", caches=[self.cache]).path)

    def test_a_failed_stage_keeps_none(self, here: StageWorkspaces, run: RunRequest, repo: Repo) -> None:
        self.saved(here, run, status=Status.failed)
        workspace = opened(here, self.another(repo, {"app.py": "print(3)"}), caches=[self.cache])
        assert "deps/six.py" not in files(workspace.path)

    def test_a_fork_takes_caches_and_gives_none(self, here: StageWorkspaces, run: RunRequest, repo: Repo) -> None:
        self.saved(here, self.another(repo, {"app.py": "evil"}, fork=True), "evil")
        trusted = self.another(repo, {"app.py": "good"})
        assert "deps/six.py" not in files(opened(here, trusted, caches=[self.cache]).path)
        self.saved(here, trusted, "good")
        other = self.another(repo, {"app.py": "other"})
        assert files(opened(here, other, caches=[self.cache]).path)["deps/six.py"] == "good"

    def test_a_damaged_cache_is_none(
        self, here: StageWorkspaces, run: RunRequest, repo: Repo, records: Records, tmp_path: Path
    ) -> None:
        self.saved(here, run)
        digest = records.artifacts.list(kind="cache")[0].ref.digest.removeprefix("sha256:")
        place = tmp_path / "artifacts/sha256" / digest[:2] / digest
        place.chmod(0o644)
        place.write_bytes(b"rubbish")
        workspace = opened(here, self.another(repo, {"app.py": "print(3)"}), caches=[self.cache])
        assert "deps/six.py" not in files(workspace.path)

    def test_one_that_is_too_large_is_not_kept_and_says_so(self, tmp_path: Path, records: Records, run: RunRequest) -> None:
        small = host(tmp_path / "small", tmp_path, records, limit=10)
        workspace = opened(small, run, caches=[self.cache])
        write(workspace, "deps/six.py", "x" * 20)
        assert "cache deps is larger" in small.seal(sealing(run, workspace, caches=[self.cache])).note
        assert records.artifacts.list(kind="cache") == []

    @pytest.mark.parametrize("path", ["../out", "/etc", ".", ".git", "a/../b", "link/x"])
    def test_paths_that_lead_out_are_refused(self, here: StageWorkspaces, repo: Repo, path: str) -> None:
        (repo.path / "link").symlink_to("/tmp")
        repo.commit()
        with pytest.raises(Exception, match="cache path"):
            opened(here, request_of(repo), caches=[CacheSpec(path=path, key=["app.py"])])


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


_OPEN = """
import sys
from pathlib import Path
from activities.records import Records
from tests.support.stages import host, opening
from pipelines.messages.build import StageOpen
here = host(Path(sys.argv[1]), Path(sys.argv[2]), Records(sys.argv[3]))
request = StageOpen.model_validate_json(sys.argv[4])
print("ready", flush=True)
here.open(request)
print("opened", flush=True)
"""


_SEAL = _OPEN.replace("StageOpen", "StageSeal").replace("here.open", "here.seal")


def kill(script: str, tmp_path: Path, message: str, after: float) -> None:
    """Run the script in a process of its own on the first host, and kill it `after` seconds from its start of work."""
    arguments = [str(tmp_path / "host-a"), str(tmp_path), f"sqlite:///{tmp_path}/records.sqlite", message]
    process = subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()


class TestKilled:
    @pytest.mark.parametrize("after", [0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2])
    def test_anywhere_in_an_opening_the_next_one_completes_it(
        self, tmp_path: Path, repo: Repo, records: Records, here: StageWorkspaces, there: StageWorkspaces, after: float
    ) -> None:
        repo.commit({f"src/{number:03d}.py": f"x = {number}\n" * 50 for number in range(300)})
        run = request_of(repo)
        made = opened(there, run)
        for number in range(200):
            write(made, f"out/{number:03d}", str(number))
        shutil.rmtree(Path(made.path, "lib"))
        layer = there.seal(sealing(run, made)).layer
        request = opening(run, "test", layers=[layer])
        kill(_OPEN, tmp_path, request.model_dump_json(), after)
        workspace = here.open(request).workspace
        assert workspace is not None
        assert files(workspace.path) == files(made.path)
        assert here.seal(sealing(run, workspace, "test")).layer is None

    @pytest.mark.parametrize("after", [0.0, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.15])
    def test_anywhere_in_a_sealing_the_next_one_completes_it(
        self, tmp_path: Path, records: Records, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest, after: float
    ) -> None:
        workspace = opened(here, run)
        for number in range(300):
            write(workspace, f"out/{number:03d}", "x" * number * 10)
        Path(workspace.path, "app.py").unlink()
        write(workspace, "junit.xml", "<testsuites><testsuite name='s'><testcase name='a'/></testsuite></testsuites>")
        seal = sealing(
            run,
            workspace,
            reports=Reports(junit=["junit.xml"]),
            artifacts=[ArtifactSpec(name="app", paths=["out"])],
            caches=[CacheSpec(path="out", key=["requirements.txt"])],
        )
        kill(_SEAL, tmp_path, seal.model_dump_json(), after)
        sealed = here.seal(seal)
        assert sealed.tests and sealed.tests.total == 1
        assert [ref.name for ref in sealed.artifacts] == ["app"]
        assert records.stages.find("key-build") == sealed
        rebuilt = opened(there, run, "test", layers=[sealed.layer])
        assert files(rebuilt.path) == files(workspace.path)
        assert here.seal(sealing(run, workspace, "next")).layer is None

    def test_between_layer_and_marker_the_layer_is_applied_again(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest
    ) -> None:
        made = opened(there, run)
        write(made, "x", "1")
        layer = there.seal(sealing(run, made)).layer
        workspace = opened(here, run)
        before = marker_of(workspace).read_bytes()
        manifest = {path: path.read_bytes() for path in Path(workspace.path).parent.glob("manifest-*")}
        opened(here, run, layers=[layer])
        marker_of(workspace).write_bytes(before)
        for path, content in manifest.items():
            path.write_bytes(content)
        again = opened(here, run, layers=[layer])
        assert files(again.path) == files(made.path)
        assert here.seal(sealing(run, again, "test")).layer is None

    def test_between_storing_a_layer_and_the_marker_it_is_captured_again(
        self, here: StageWorkspaces, there: StageWorkspaces, run: RunRequest
    ) -> None:
        workspace = opened(here, run)
        write(workspace, "x", "1")
        before = marker_of(workspace).read_bytes()
        manifest = {path: path.read_bytes() for path in Path(workspace.path).parent.glob("manifest-*")}
        seal = sealing(run, workspace)
        first = here.seal(seal)
        marker_of(workspace).write_bytes(before)
        for path, content in manifest.items():
            path.write_bytes(content)
        assert here.seal(seal) == first
        assert files(opened(there, run, layers=[first.layer]).path)["x"] == "1"

    def test_a_tree_without_a_marker_is_made_anew(self, here: StageWorkspaces, run: RunRequest) -> None:
        workspace = opened(here, run)
        write(workspace, "half", "x")
        marker_of(workspace).unlink()
        assert "half" not in files(opened(here, run).path)

    def test_a_link_in_place_of_the_tree_is_not_followed(self, here: StageWorkspaces, run: RunRequest, tmp_path: Path) -> None:
        workspace = opened(here, run)
        shutil.rmtree(workspace.path)
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere/victim").write_text("x")
        Path(workspace.path).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(HostLost):
            here.seal(sealing(run, workspace))
        assert set(files(opened(here, run).path)) == {"app.py", "lib/util.py", "requirements.txt", ".gitignore"}
        assert (tmp_path / "elsewhere/victim").exists()

    def test_a_marker_without_a_tree_is_nothing(self, here: StageWorkspaces, run: RunRequest) -> None:
        shutil.rmtree(opened(here, run).path)
        assert "app.py" in files(opened(here, run).path)


def test_long_work_beats(tmp_path: Path, records: Records, run: RunRequest) -> None:
    beats: list[int] = []
    beating = host(tmp_path / "beats", tmp_path, records, beat=lambda: beats.append(1))
    workspace = opened(beating, run)
    write(workspace, "x", "1")
    beating.seal(sealing(run, workspace))
    assert beats
