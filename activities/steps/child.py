"""The process itself: in a session of its own, confined, with nothing inherited. Standard library only."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable

from activities.steps.job import Job


def start(job: Job, output: int) -> tuple[int, str]:
    """Start it with its output going to the descriptor `output`. Its pid and '', or -1 and why it could not be started."""
    os.umask(0o022)
    os.setpriority(os.PRIO_PROCESS, 0, job.nice)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    report = output
    try:
        if job.stdout is not None:
            report = os.open(job.stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        process = subprocess.Popen(
            job.argv,
            cwd=job.cwd,
            env=job.env,
            stdin=subprocess.DEVNULL,
            stdout=report,
            stderr=output,
            start_new_session=True,
            # Without one, subprocess can use vfork, which is several milliseconds cheaper.
            preexec_fn=_limiter(job.limits) if job.limits else None,  # noqa: PLW1509
        )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return -1, _reason(job, error)
    finally:
        if report != output:
            os.close(report)
    # The supervisor collects all of its children itself.
    process.returncode = 0
    return process.pid, ""


def _reason(job: Job, error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and error.filename == job.argv[0]:
        return f"{job.argv[0]} is not installed on this host"
    said = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return f"{job.argv[0].rpartition('/')[2]} could not be started: {said}"


def _limiter(limits: dict[str, int]) -> Callable[[], None]:
    def limit() -> None:
        for name, value in limits.items():
            _limit(getattr(resource, name), value)

    return limit


def _limit(kind: int, value: int) -> None:
    """Never above what the host allows. CPU seconds get a second more until SIGKILL, so that SIGXCPU can be told apart."""
    _, most = resource.getrlimit(kind)
    room = value + 1 if kind == resource.RLIMIT_CPU else value
    hard = room if most == resource.RLIM_INFINITY else min(room, most)
    resource.setrlimit(kind, (min(value, hard), hard))
