"""Where programs are: one on PATH wins over the one that came with our wheels."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def find_program(name: str) -> str | None:
    """Absolute path, or None when the program is neither on PATH nor beside the running Python."""
    beside = Path(sys.executable).parent / name
    return shutil.which(name) or (str(beside) if beside.exists() else None)
