"""Killed anywhere, or half done in any way: whoever comes next completes it."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from activities.records import Records
from activities.workspace import StageWorkspaces
from pipelines.errors import WorkspaceLost
from pipelines.messages.common import RunRequest
from pipelines.spec import ArtifactSpec, CacheSpec, Reports
from tests.support.repos import Repo
from tests.support.stages import files, marker_of, opened, opening, request_of, sealing, write

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
        with pytest.raises(WorkspaceLost):
            here.seal(sealing(run, workspace))
        assert set(files(opened(here, run).path)) == {"app.py", "lib/util.py", "requirements.txt", ".gitignore"}
        assert (tmp_path / "elsewhere/victim").exists()

    def test_a_marker_without_a_tree_is_nothing(self, here: StageWorkspaces, run: RunRequest) -> None:
        shutil.rmtree(opened(here, run).path)
        assert "app.py" in files(opened(here, run).path)
