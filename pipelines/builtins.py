"""The built-in checks that a step's `uses:` can name, with the options that its `with:` accepts.

The loader validates options with these models, so a wrong one is an error with a line; `activities/checks/` holds how each
check runs, one file per name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from pipelines.spec.base import SpecModel
from pipelines.spec.gate import Severity

FailOn = Severity | Literal["never"]
"""The least severity that fails the step; 'never' leaves the decision to a gate."""


class NoOptions(SpecModel):
    pass


class InstallOptions(SpecModel):
    """Makes `.venv` in the step's folder. Files with hashes are installed with hash checking."""

    python: str = Field("", description="interpreter; default: the engine's own")
    requirements: list[str] = Field(default_factory=list, description="globs; default: requirements*.txt, else pyproject.toml")
    project: bool | None = Field(None, description="install the project itself; default: only without a requirements file")
    extras: list[str] = Field(default_factory=list, description="extras of the project")
    packages: list[str] = Field(default_factory=list, description="further packages, e.g. [pytest, pytest-cov]")


class LintOptions(SpecModel):
    """Any finding fails the step unless `fail_on` says otherwise."""

    paths: list[str] = Field(default_factory=lambda: ["."], min_length=1)
    args: list[str] = Field(default_factory=list, description="passed to the tool as they are")
    fail_on: FailOn = "info"


class GoOptions(SpecModel):
    paths: list[str] = Field(default_factory=lambda: ["."], min_length=1, description="folders; `./...` for go-vet")
    fail_on: FailOn = "info"


class ScanOptions(SpecModel):
    """Findings of high and critical severity fail the step unless `fail_on` says otherwise."""

    paths: list[str] = Field(default_factory=lambda: ["."], min_length=1)
    exclude: list[str] = Field(default_factory=list, description="folders, beside .git and .venv")
    fail_on: FailOn = "high"


class SecretsOptions(ScanOptions):
    scanner: Literal["auto", "trivy", "gitleaks"] = Field("auto", description="auto: gitleaks when on PATH, else trivy")
    paths: list[str] = Field(default_factory=lambda: ["."], min_length=1, max_length=1)


class MisconfigOptions(ScanOptions):
    paths: list[str] = Field(default_factory=lambda: ["."], min_length=1, max_length=1)


class HadolintOptions(SpecModel):
    files: list[str] = Field(default_factory=lambda: ["**/Dockerfile", "**/Dockerfile.*", "**/*.Dockerfile"], min_length=1)
    fail_on: FailOn = "high"


class PipAuditOptions(SpecModel):
    """Audits the requirements files, or `.venv` when there are none. A known vulnerability counts as high."""

    requirements: list[str] = Field(default_factory=list, description="globs; default: what is installed in .venv")
    ignore: list[str] = Field(default_factory=list, description="vulnerability ids")
    fail_on: FailOn = "high"


class PytestOptions(SpecModel):
    paths: list[str] = Field(default_factory=list, description="default: what the project configures")
    args: list[str] = Field(default_factory=list, description="passed to pytest as they are")
    coverage: bool = Field(False, description="measure line coverage with pytest-cov")
    source: list[str] = Field(default_factory=lambda: ["."], min_length=1, description="what coverage is measured of")
    rerun_failed: int = Field(0, ge=0, le=10, description="run failed tests again this often; one that passes is flaky")
    allow_empty: bool = Field(False, description="no test collected is not a failure")


class JunitOptions(SpecModel):
    """Any test runner that writes JUnit XML."""

    run: str = Field(description="shell command that runs the tests")
    report: str = Field(description="glob of the JUnit XML files that it writes")
    shell: str = "bash"
    rerun_failed: int = Field(0, ge=0, le=10, description="run the whole command again this often; a test that passes is flaky")
    allow_empty: bool = False


class CoverageOptions(SpecModel):
    """Reads line coverage from a Cobertura XML file."""

    run: str = Field("", description="shell command that writes the report; default: it is there already")
    report: str = "coverage.xml"
    shell: str = "bash"
    minimum: float | None = Field(None, ge=0, le=100, description="percent under which the step fails; default: a gate decides")


class SarifOptions(SpecModel):
    """Any tool that writes SARIF 2.1.0."""

    run: str = Field("", description="shell command that writes the report; default: it is there already")
    report: str = Field(description="glob of the SARIF files")
    shell: str = "bash"
    tool: str = Field("", description="name under which a gate requires it; default: the report's own")
    exit_codes: list[int] = Field(default_factory=lambda: [0, 1], min_length=1, description="exit statuses that mean: it worked")
    fail_on: FailOn = "high"


@dataclass(frozen=True)
class Builtin:
    """`queue` is the service's task queue (one of pipelines.ports.QUEUES) whose host runs the step."""

    name: str
    queue: str
    description: str
    options: type[SpecModel]


_ALL = (
    Builtin("checkout", "build", "Show the commit that the workspace holds; fails when there is none.", NoOptions),
    Builtin("python/install", "build", "Make .venv and install requirements or the project into it.", InstallOptions),
    Builtin("ruff", "quality", "Lint Python with ruff.", LintOptions),
    Builtin("ruff-format", "quality", "Check that Python is formatted as ruff formats it.", LintOptions),
    Builtin("mypy", "quality", "Check Python's types with mypy.", LintOptions),
    Builtin("gofmt", "quality", "Check that Go is formatted as gofmt formats it.", GoOptions),
    Builtin("go-vet", "quality", "Find suspicious constructs in Go with go vet.", GoOptions),
    Builtin("coverage", "quality", "Read line coverage from a Cobertura XML file.", CoverageOptions),
    Builtin("sarif", "quality", "Read the findings of any tool that writes SARIF.", SarifOptions),
    Builtin("bandit", "security", "Find security problems in Python with bandit.", ScanOptions),
    Builtin("secrets", "security", "Find secrets in files with gitleaks or trivy.", SecretsOptions),
    Builtin("pip-audit", "security", "Find Python packages with known vulnerabilities.", PipAuditOptions),
    Builtin("trivy-misconfig", "security", "Find misconfigurations in Dockerfiles, Kubernetes and Terraform.", MisconfigOptions),
    Builtin("hadolint", "security", "Lint Dockerfiles with hadolint.", HadolintOptions),
    Builtin("pytest", "tests", "Run Python tests with pytest.", PytestOptions),
    Builtin("junit", "tests", "Run tests with any runner that writes JUnit XML.", JunitOptions),
)

BUILTINS: dict[str, Builtin] = {builtin.name: builtin for builtin in _ALL}
"""By the name that `uses:` gives."""
