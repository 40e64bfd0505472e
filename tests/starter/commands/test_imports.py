"""A command loads only what it needs: imports are nearly all of its time. tests/bench measures the commands themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from starter import cli as cli_module
from tests.starter.commands.conftest import Cli

HEAVY = ["alembic", "docker", "fastapi", "git", "httpx", "jinja2", "kubernetes", "numpy", "scipy", "sqlalchemy", "uvicorn"]
SCRIPT = f"""
import sys
from starter.cli import app
try: app(sys.argv[1:])
except SystemExit as end: code = end.code or 0
print(code, *(name for name in [*{HEAVY}, 'temporalio'] if name in sys.modules))
"""


def loaded(*arguments: str) -> list[str]:
    """Exit code, and which of the heavy packages the command has loaded."""
    command = [sys.executable, "-c", SCRIPT, *arguments]
    said = subprocess.run(command, capture_output=True, text=True, cwd=Path(cli_module.__file__).parents[1], check=True)
    return said.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("arguments", [["runs"], ["runs", "--json"], ["show"], ["releases", "--json"]])
def test_asking_the_server_loads_its_client_and_nothing_else(cli: Cli, begin, arguments: list[str]) -> None:
    asked = begin("wait")
    assert loaded(*arguments, *([asked.workflow_id] if arguments == ["show"] else [])) == ["0", "temporalio"]


def test_help_loads_neither_temporal_nor_the_records() -> None:
    assert loaded("--help") == ["0"]
