"""The layers that the design draws are the layers that the imports have, and files stay small enough to read."""

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipelines", "workflows", "activities", "starter")


def _sources() -> list[Path]:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts]
    return [path for path in files if path.stat().st_size] + [path for path in [ROOT / "worker.py"] if path.exists()]


def _tests() -> list[Path]:
    return [path for path in (ROOT / "tests").rglob("*.py") if path.stat().st_size]


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def _functions(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1) for node in nodes]


def test_imports_keep_the_contracts() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_nobody_below_imports_the_ways_in() -> None:
    guilty = [
        str(path.relative_to(ROOT))
        for path in _sources()
        if path.relative_to(ROOT).parts[0] in PACKAGES[:3]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("starter", "worker", "tests")
    ]
    assert guilty == []


@pytest.mark.parametrize("paths", [_sources(), _tests()], ids=["source", "tests"])
def test_no_file_is_over_400_lines(paths: list[Path]) -> None:
    assert {str(path.relative_to(ROOT)): _lines(path) for path in paths if _lines(path) > 400} == {}


def test_the_median_file_has_at_most_150_lines() -> None:
    assert statistics.median(_lines(path) for path in _sources()) <= 150


def test_no_function_is_over_50_lines() -> None:
    assert {name: size for path in _sources() for name, size in _functions(path) if size > 50} == {}


def test_the_median_function_has_at_most_12_lines() -> None:
    assert statistics.median(size for path in _sources() for _, size in _functions(path)) <= 12


def test_there_is_more_test_than_source() -> None:
    source, tests = sum(map(_lines, _sources())), sum(map(_lines, _tests()))
    assert tests >= 1.2 * source, f"{tests} lines of tests for {source} lines of source"
