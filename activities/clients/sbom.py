"""CycloneDX bills of materials of Python artifacts, from what is packed: installed packages, else a lock file, else requirements.

Nothing of the artifact is run or imported, no file outside it is read, and no index is asked.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib.metadata import PathDistribution
from pathlib import Path, PurePosixPath
from typing import Any

from activities.base import heartbeat
from activities.clients.archive import Beat
from activities.clients.attended import attended
from pipelines.errors import StepFailed, Unavailable

_LOCKS = ("pylock.toml", "uv.lock", "poetry.lock")
_REQUIREMENTS = re.compile(r"requirements[^/]*\.(txt|lock)")
_LOGIN = re.compile(r"(://)[^/@\s]+@")
_SECONDS = 120.0
_PIPES: dict[str, Any] = {
    "stdin": subprocess.PIPE,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.PIPE,
    "start_new_session": True,
}


def python_sbom(root: Path, names: Sequence[str], component: str, version: str = "", beat: Beat = heartbeat) -> bytes:
    """CycloneDX 1.6 JSON of the files `names` below `root`; equal files give equal bytes.

    The component's property `switchyard:source` names where the packages were read, 'none' when nothing says what the artifact
    needs. Raises StepFailed when a lock or requirements file cannot be read, Unavailable when the generator does not work.
    """
    source, lines = _needs(root, names)
    bill: dict[str, Any] = json.loads(_generate(lines, beat))
    described: dict[str, Any] = {"type": "application", "bom-ref": "root", "name": component}
    described["properties"] = [{"name": "switchyard:source", "value": source}]
    if version:
        described["version"] = version
    bill.setdefault("metadata", {})["component"] = described
    return json.dumps(bill, indent=1, sort_keys=True).encode()


def _needs(root: Path, names: Sequence[str]) -> tuple[str, list[str]]:
    """Where the packages are named, and one requirement line for each. The surest source that there is wins."""
    names = [name for name in names if not (root / name).is_symlink()]
    installed = sorted(name for name in names if name.endswith(".dist-info") and (root / name).is_dir())
    if installed:
        return "installed packages", sorted(filter(None, (_pin(root / name) for name in installed)))
    for wanted in _LOCKS:
        for name in (name for name in names if PurePosixPath(name).name == wanted):
            return name, _locked(root / name, name)
    lists = sorted(name for name in names if _REQUIREMENTS.fullmatch(PurePosixPath(name).name))
    if lists:
        return ", ".join(lists), [line for name in lists for line in _text(root / name, name).splitlines()]
    return _declared(root, names)


def _pin(folder: Path) -> str:
    metadata = PathDistribution(folder).metadata
    if "Name" not in metadata or "Version" not in metadata:
        return ""
    return f"{metadata['Name']}=={metadata['Version']}"


def _locked(path: Path, name: str) -> list[str]:
    content = _toml(path, name)
    packages = content.get("packages", content.get("package", []))
    return sorted(f"{each['name']}=={each['version']}" for each in packages if "name" in each and "version" in each)


def _declared(root: Path, names: Sequence[str]) -> tuple[str, list[str]]:
    for name in sorted((name for name in names if PurePosixPath(name).name == "pyproject.toml"), key=len):
        project = _toml(root / name, name).get("project", {})
        if "dependencies" in project:
            return name, sorted(project["dependencies"])
    return "none", []


def _toml(path: Path, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path, name))
    except tomllib.TOMLDecodeError as error:
        raise StepFailed(f"{name} cannot be read for the SBOM: {error}") from None


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StepFailed(f"{name} cannot be read for the SBOM: {error}") from None


def _generate(lines: Sequence[str], beat: Beat) -> str:
    """The generator gets the lines on its standard input, where it follows no reference to other files."""
    command = [sys.executable, "-I", "-m", "cyclonedx_py", "requirements", "-"]
    flags = ["--output-reproducible", "--of", "JSON", "--sv", "1.6", "-o", "-"]
    given = _LOGIN.sub(r"\1", "\n".join(lines))
    try:
        process = subprocess.Popen([*command, *flags], **_PIPES)
        out, problem = attended(process, given.encode(), _SECONDS, beat)
    except OSError as error:
        raise Unavailable(f"the SBOM generator does not work: {error}") from None
    if process.returncode:
        words = problem.decode("utf-8", "replace").strip().splitlines() or [f"status {process.returncode}"]
        raise StepFailed(f"the SBOM cannot be made: {words[-1]}", "Check the artifact's requirements files")
    return out.decode()
