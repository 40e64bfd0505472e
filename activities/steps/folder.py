"""What this host remembers of a step: that it began, and how it ended."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from activities.steps.job import try_lock
from pipelines.layout import Layout, slug
from pipelines.messages.build import StepInput, StepResult
from pipelines.messages.common import Message

_LOCK_AGAIN = 0.1
_WORKSPACE_MARK = "user.switchyard.workspace"


class StepRecord(Message):
    """`workspace` identifies the very folder that the step ran in: one that was made anew lacks what the step left there."""

    execution: str
    attempt: int
    workspace: str
    started_at: float
    log_start: int
    result: StepResult | None = None

    def same_call(self, step: StepInput) -> bool:
        return (self.execution, self.attempt) == (step.execution, step.attempt)


class StepFolder:
    """Folders and log of one step on this host; `key` never depends on the attempt."""

    def __init__(self, layout: Layout, step: StepInput) -> None:
        self.path = layout.steps / slug(step.key)
        # Short, because sockets in TMPDIR have paths of at most 107 bytes.
        self.private = layout.root / "private" / hashlib.sha256(step.key.encode()).hexdigest()[:12]
        self.log_name = layout.step_log(step.run_id, step.stage, step.index)
        self.log = layout.logs / self.log_name
        self.scratch = self.path / "scratch"
        self._record = self.path / "step.json"

    @asynccontextmanager
    async def held(self, beat: Callable[[], None]) -> AsyncIterator[None]:
        """Only one activity at a time drives a step: one that timed out and still lives is waited for."""
        self.path.mkdir(parents=True, exist_ok=True)
        while (lock := try_lock(self.path / "driver.lock")) is None:
            beat()
            await asyncio.sleep(_LOCK_AGAIN)
        try:
            yield
        finally:
            os.close(lock)

    def read(self) -> StepRecord | None:
        try:
            return StepRecord.model_validate_json(self._record.read_bytes())
        except FileNotFoundError:
            return None

    def write(self, record: StepRecord) -> None:
        """Whole or not at all, and still there after a power cut."""
        partial = self._record.with_suffix(".part")
        with partial.open("wb") as file:
            file.write(record.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._record)

    def begin(self, step: StepInput) -> StepRecord:
        """Forget an earlier attempt and its folders; the log is continued."""
        self.forget()
        for folder in (self.scratch, self.private / "home", self.private / "tmp", self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        for private in (self.private, self.scratch):
            private.chmod(0o700)
        record = StepRecord(
            execution=step.execution,
            attempt=step.attempt,
            workspace=identity(Path(step.workspace.path)),
            started_at=time.time(),
            log_start=self.log.stat().st_size if self.log.exists() else 0,
        )
        self.write(record)
        return record

    def forget(self) -> None:
        self._record.unlink(missing_ok=True)
        for folder in [entry for entry in self.path.iterdir() if entry.is_dir()]:
            shutil.rmtree(folder)
        self.tidy()

    def tidy(self) -> None:
        """Remove the private home and temporary folder, also what a step has made read-only there."""
        shutil.rmtree(self.private, onerror=_insist)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def command(self, number: int) -> Path:
        return self.path / f"{number:02d}"


def _insist(function: Callable[..., object], path: str, _: object) -> None:
    """Called by rmtree: make the folder writable and try once more; what a step of another user left stays."""
    try:
        Path(path).parent.chmod(0o700)
        function(path)
    except OSError:
        return


def identity(workspace: Path) -> str:
    """Names this folder and no later one at the same path. Kept in an extended attribute, which no layer or archive takes along;
    where the file system has none, the inode must do."""
    try:
        return os.getxattr(workspace, _WORKSPACE_MARK).decode()
    except OSError:
        name = uuid.uuid4().hex
    try:
        os.setxattr(workspace, _WORKSPACE_MARK, name.encode())
    except OSError:
        status = workspace.stat()
        return f"{status.st_dev}:{status.st_ino}"
    return name
