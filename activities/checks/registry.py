"""All checks by the name that `uses:` gives; the same names as pipelines.builtins.BUILTINS."""

from __future__ import annotations

from activities.checks.bandit import Bandit
from activities.checks.base import Check
from activities.checks.checkout import Checkout
from activities.checks.coverage import Coverage
from activities.checks.go_vet import GoVet
from activities.checks.gofmt import Gofmt
from activities.checks.hadolint import Hadolint
from activities.checks.junit import Junit
from activities.checks.mypy import Mypy
from activities.checks.pip_audit import PipAudit
from activities.checks.pytest import Pytest
from activities.checks.python_install import PythonInstall
from activities.checks.ruff import Ruff
from activities.checks.ruff_format import RuffFormat
from activities.checks.sarif import Sarif
from activities.checks.secrets import Secrets
from activities.checks.trivy_misconfig import TrivyMisconfig

_ALL: tuple[Check, ...] = (
    Checkout(),
    PythonInstall(),
    Ruff(),
    RuffFormat(),
    Mypy(),
    Gofmt(),
    GoVet(),
    Coverage(),
    Sarif(),
    Bandit(),
    Secrets(),
    PipAudit(),
    TrivyMisconfig(),
    Hadolint(),
    Pytest(),
    Junit(),
)

CHECKS: dict[str, Check] = {check.name: check for check in _ALL}
