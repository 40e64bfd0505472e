"""Every error that Switchyard raises on purpose; the class says whether a retry can help.

SwitchyardError                     has a message and a remedy
├── UserError                       somebody must change something: never retried
│   ├── SpecError                   a pipeline file is wrong, with file, line and column
│   ├── SettingsError               a setting or a secret reference is wrong
│   ├── SourceError                 the commit, repository, submodule or LFS pointer cannot be used
│   ├── NotFound                    a run, release, artifact or record does not exist
│   ├── Conflict                    what was asked contradicts the state that something is in
│   └── Denied                      that person, fork or token may not do this
├── RealFailure                     the work was done and its answer is no: never retried as infrastructure
│   ├── StepFailed                  a command ended with a non-zero status, or a check found something
│   ├── GateRefused                 a gate's policy says no
│   ├── ReleaseUnhealthy            a release did not become or stay healthy
│   └── IntegrityError              a digest or an audit chain does not match
└── InfrastructureError             the world was in the way: retried by policy
    ├── Unavailable                 a server or tool does not answer
    ├── Throttled                   a server asks for patience
    ├── Busy                        somebody else holds the lock
    ├── HostLost                    the host that held the workspace is gone
    └── WorkspaceLost               the workspace is not on its host any more: the run opens it anew, nobody asks there again
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self


class SwitchyardError(Exception):
    """Base of all; `remedy` is one sentence that says what to do next."""

    retryable = False

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}" if self.remedy else self.message


class UserError(SwitchyardError):
    pass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file; line and column count from 1, 0 where there is no place to point at."""

    file: str
    line: int
    column: int
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}. {self.remedy}" if self.remedy else f"{place}: {self.message}"


class SpecError(UserError):
    """`problems` has all that is wrong when a file was read; the message then has a line for each."""

    def __init__(self, message: str, remedy: str = "", problems: Iterable[Problem] = ()) -> None:
        super().__init__(message, remedy)
        self.problems = list(problems)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """In the order of the file, each once."""
        ordered = sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line, problem.column))
        return cls("\n".join(map(str, ordered)), problems=ordered)


class SettingsError(UserError):
    pass


class SourceError(UserError):
    pass


class NotFound(UserError):
    pass


class Conflict(UserError):
    pass


class Denied(UserError):
    pass


class RealFailure(SwitchyardError):
    pass


class StepFailed(RealFailure):
    pass


class GateRefused(RealFailure):
    pass


class ReleaseUnhealthy(RealFailure):
    pass


class IntegrityError(RealFailure):
    pass


class InfrastructureError(SwitchyardError):
    retryable = True


class Unavailable(InfrastructureError):
    pass


class Throttled(InfrastructureError):
    pass


class Busy(InfrastructureError):
    pass


class HostLost(InfrastructureError):
    pass


class WorkspaceLost(InfrastructureError):
    retryable = False


def wrong_fields(details: Iterable[Mapping[str, Any]], whole: str = "") -> str:
    """Which field is wrong and why, one after the other. `details`: of pydantic's ValidationError.errors(), whose values are left
    out, since they may be secret; `whole`: the name of what has the fields, where the fault is in none of them."""
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or whole}: {each['msg']}" for each in details)


def _tree(cls: type[SwitchyardError]) -> list[type[SwitchyardError]]:
    return [cls, *(below for child in cls.__subclasses__() for below in _tree(child))]


def non_retryable_types() -> list[str]:
    """Names of all classes for which a retry cannot help, for Temporal's retry policies."""
    return sorted(cls.__name__ for cls in _tree(SwitchyardError) if not cls.retryable)
