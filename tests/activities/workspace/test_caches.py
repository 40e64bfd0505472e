"""Caches: restored by the content of their key files, never from a fork, never half."""

import shutil
from pathlib import Path

import pytest

from activities.records import Records
from activities.workspace import StageWorkspaces
from pipelines.messages.build import Workspace
from pipelines.messages.common import RunRequest, Status
from pipelines.spec import CacheSpec
from tests.support.repos import Repo
from tests.support.stages import files, host, opened, request_of, sealing, write


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
