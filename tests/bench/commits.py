"""A real Git repository whose every commit is a new push: the pipelines that are measured, and one file that changes."""

from __future__ import annotations

from pathlib import Path

from pipelines.messages.common import RunRequest
from tests.support.repos import Repo

STEPS = 10


def pipeline(*steps: str, extra: str = "") -> str:
    """A pipeline with one stage."""
    listed = "\n".join(f"      - {step}" for step in steps)
    return f"name: bench\nservice: bench\nhold: 0\nstages:\n  work:\n{extra}    steps:\n{listed}\n"


PIPELINES = {
    "noop1": pipeline("uses: noop"),
    "noop10": pipeline(*["uses: noop"] * STEPS),
    "process1": pipeline('run: "true"'),
    "process10": pipeline(*['run: "true"'] * STEPS),
    "sleeper": pipeline("run: 'echo $$ > \"$BENCH_PID\"; exec sleep 600'"),
    "ticker": pipeline(*[f"run: 'echo {number} >> \"$BENCH_TICKS\"; sleep 0.05'" for number in range(200)]),
    "approval": pipeline("uses: noop", extra="    approval: {count: 100000}\n"),
}


class Commits:
    """`next` makes a commit as a push would bring it; its tree is new, so nothing of an earlier run is reused."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self._repo = Repo(folder)
        self._count = 0
        lines = "".join(f"  {name}: {value}\n" for name, value in (env or {}).items())
        head = f"env:\n{lines}" if lines else ""
        files = {f".switchyard/{name}.yml": head + text for name, text in PIPELINES.items()}
        self._repo.commit({**files, ".switchyard.yml": head + PIPELINES["noop10"]}, "the pipelines")

    @property
    def url(self) -> str:
        return str(self._repo.path)

    def next(self) -> str:
        self._count += 1
        return self._repo.commit({"change.txt": f"{self._count}\n"}, f"change {self._count}")

    def request(self, name: str) -> RunRequest:
        """A run of a new commit through the pipeline of that name."""
        return RunRequest(repo="bench/service", clone_url=self.url, sha=self.next(), branch="main", event="push", pipeline=name)
