"""What to do when a component that a test needs is not on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest


def absent(reason: str) -> None:
    """Skip the test with the reason; fail it when SWITCHYARD_REQUIRE_ALL is set."""
    if os.environ.get("SWITCHYARD_REQUIRE_ALL"):
        pytest.fail(f"a component is missing, and SWITCHYARD_REQUIRE_ALL is set: {reason}")
    pytest.skip(reason)


def program(name: str) -> str:
    """Path of a program, from PATH or beside the running Python; the test skips (or fails) when there is none."""
    beside = Path(sys.executable).parent / name
    found = shutil.which(name) or (str(beside) if beside.exists() else "")
    if not found:
        absent(f"{name} is not installed")
    return found
