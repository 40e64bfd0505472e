"""Where things are under the one state directory. Pure paths; nothing is created here."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def slug(text: str, most: int = 60) -> str:
    """A file name for any text: readable, and unique by a hash when something had to be replaced or cut."""
    safe = _UNSAFE.sub("-", text).strip("-.")
    if safe == text and len(safe) <= most:
        return safe
    return f"{safe[:most]}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Layout:
    """Folders of one installation."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "records.sqlite"

    @property
    def audit_witness(self) -> Path:
        return self.root / "audit-witness.json"

    @property
    def mirrors(self) -> Path:
        return self.root / "mirrors"

    @property
    def workspaces(self) -> Path:
        return self.root / "workspaces"

    @property
    def steps(self) -> Path:
        return self.root / "steps"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def routes(self) -> Path:
        return self.root / "routes"

    @property
    def stack(self) -> Path:
        return self.root / "stack"

    def step_log(self, run_id: str, stage: str, index: int) -> str:
        """The log's path relative to `logs`."""
        return f"{slug(run_id)}/{slug(stage)}/{index:02d}.log"
