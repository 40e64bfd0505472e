"""checkout and python/install."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from activities.checks.installers import Installer, choose
from pipelines.errors import StepFailed
from pipelines.messages.common import Status
from tests.support.checks import Bench

PROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny"
version = "1.0"
"""
BACKEND = '''"""A build backend without dependencies, so that no index is asked."""

import zipfile


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.writestr("tiny_marker.py", "installed = True\\n")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return name


build_wheel = build_editable
'''


def python(bench: Bench, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([bench.workspace / ".venv/bin/python", "-c", code], capture_output=True, text=True, check=False)


def wheel(folder: Path, name: str) -> Path:
    """A local package, so that no index is asked."""
    source = folder / f"{name}-source"
    source.mkdir()
    (source / "pyproject.toml").write_text(PROJECT.replace("tiny", name))
    (source / "backend.py").write_text(BACKEND.replace("tiny", name))
    return source


def test_checkout_shows_the_commit(bench: Bench) -> None:
    bench.write({"a.txt": "x"})
    git = ["git", "-C", str(bench.workspace), "-c", "user.name=T", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "first words"], check=True)
    assert bench.run("checkout").status is Status.passed
    assert "first words" in bench.output


def test_checkout_without_git_data_is_content_with_files(bench: Bench) -> None:
    assert bench.write({"a.txt": "x"}).run("checkout").status is Status.passed


def test_checkout_of_nothing_fails(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="empty"):
        bench.run("checkout")


def test_a_broken_repository_fails(bench: Bench) -> None:
    bench.write({".git/HEAD": "nonsense", "a.txt": "x"})
    with pytest.raises(StepFailed, match="git did not work"):
        bench.run("checkout")


def test_install_makes_an_environment_and_then_leaves_it_alone(bench: Bench) -> None:
    bench.write({"app.py": ""})
    assert bench.run("python/install").message == "made; nothing to install"
    assert python(bench, "import sys; print(sys.prefix)").stdout.strip().endswith(".venv")
    assert bench.run("python/install").message == "up to date"
    assert bench.commands == []


def test_install_from_requirements(bench: Bench) -> None:
    bench.write({"requirements.txt": f"{wheel(bench.root, 'tiny')}\n"})
    bench.run("python/install")
    assert python(bench, "import tiny_marker").returncode == 0


def test_install_of_the_project_itself(bench: Bench) -> None:
    bench.write({"pyproject.toml": PROJECT, "backend.py": BACKEND}).run("python/install")
    assert python(bench, "import tiny_marker").returncode == 0


def test_install_again_when_the_requirements_change_and_what_left_them_is_gone(bench: Bench) -> None:
    bench.write({"requirements.txt": f"{wheel(bench.root, 'tiny')}\n"}).run("python/install")
    bench.write({"requirements.txt": f"{wheel(bench.root, 'other')}\n"}).run("python/install")
    assert python(bench, "import other_marker").returncode == 0
    assert python(bench, "import tiny_marker").returncode != 0


def test_a_change_in_an_included_file_counts(bench: Bench) -> None:
    bench.write({"requirements.txt": "-r deps/base.in\n", "deps/base.in": "# none\n-r ../requirements.txt\n"})
    first = bench.context("python/install", {})
    from activities.checks.python_install import _content

    before = _content(first, Installer())
    bench.write({"deps/base.in": "# another\n"})
    assert _content(first, Installer()) != before


def test_a_half_made_environment_is_made_anew(bench: Bench) -> None:
    bench.write({"app.py": ""}).run("python/install")
    (bench.workspace / ".venv/switchyard.stamp").unlink()
    (bench.workspace / ".venv/left-over").touch()
    bench.run("python/install")
    assert not (bench.workspace / ".venv/left-over").exists()
    assert python(bench, "").returncode == 0


def test_an_environment_whose_interpreter_is_gone_is_made_anew(bench: Bench) -> None:
    bench.write({"app.py": ""}).run("python/install")
    (bench.workspace / ".venv/bin/python").unlink()
    bench.run("python/install")
    assert python(bench, "").returncode == 0


def test_a_requirement_that_cannot_be_installed_fails_and_leaves_no_stamp(bench: Bench) -> None:
    bench.write({"requirements.txt": "./no-such-folder\n"})
    with pytest.raises(StepFailed, match="the installer did not work"):
        bench.run("python/install")
    assert not (bench.workspace / ".venv/switchyard.stamp").exists()


def test_hashes_are_checked(bench: Bench) -> None:
    archive = bench.root / "tiny-1.0-py3-none-any.whl"
    source = wheel(bench.root, "tiny")
    subprocess.run([sys.executable, "-c", f"import backend; backend.build_wheel({str(bench.root)!r})"], cwd=source, check=True)
    bench.write({"requirements.txt": f"tiny @ {archive.as_uri()} --hash=sha256:{'0' * 64}\n"})
    with pytest.raises(StepFailed):
        bench.run("python/install")
    assert "HASH" in bench.output.upper()
    assert any("--require-hashes" in command.argv for command in bench.commands)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"requirements": ["deps.txt"]}, "no requirements file matches"),
        ({"project": True}, "there is no project to install"),
        ({"python": "python9.9"}, "'python9.9' is not installed"),
    ],
)
def test_what_cannot_be_is_said(bench: Bench, options: dict[str, object], words: str) -> None:
    with pytest.raises(StepFailed, match=words) as caught:
        bench.write({"app.py": ""}).run("python/install", **options)
    assert caught.value.remedy


def test_a_pyproject_with_nothing_but_tool_settings_is_no_project(bench: Bench) -> None:
    bench.write({"pyproject.toml": "[tool.ruff]\nline-length = 100\n"})
    assert bench.run("python/install").message == "made; nothing to install"


def test_a_broken_pyproject_is_named(bench: Bench) -> None:
    with pytest.raises(StepFailed, match=r"pyproject\.toml cannot be read"):
        bench.write({"pyproject.toml": "[project\n"}).run("python/install")


def test_the_environment_works_after_a_move(bench: Bench) -> None:
    bench.write({"requirements.txt": f"{wheel(bench.root, 'tiny')}\n", "a.py": "import tiny_marker\n"}).run("python/install")
    moved = Bench(bench.root / "moved")
    moved.root.mkdir()
    shutil.move(bench.workspace, moved.workspace)
    assert python(moved, "import tiny_marker").returncode == 0
    assert moved.run("python/install").message == "up to date"


def test_pip_is_chosen_when_it_has_an_index_of_its_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = bench.root / "uv"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(bench.root))
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    assert choose().name == "pip"


def test_uv_installs_into_the_environment_that_it_made() -> None:
    installer = Installer("/bin/uv")
    assert installer.create("python3", Path("/w/.venv"))[:2] == ("/bin/uv", "venv")
    assert "/w/.venv/bin/python" in installer.install(Path("/w/.venv"), "-r", "requirements.txt")
