"""How the embedded Temporal server is tuned; the tests' servers use the same flags."""

from __future__ import annotations

from pipelines.attributes import KEYWORDS

DYNAMIC_CONFIG = {
    # The stock server looks at its transfer and timer queues 20 times a second: 50 ms for every step of a workflow.
    "history.transferProcessorMaxPollRPS": "1000",
    "history.timerProcessorMaxPollRPS": "1000",
    # One host needs no partitions, and a task that need not look for its poller is delivered sooner.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    # The limits protect a shared cluster; this server has one tenant.
    "frontend.namespaceRPS": "20000",
    "frontend.rps": "20000",
    # A timer is looked for when it is due, not up to a second later.
    "history.timerProcessorMaxTimeShift": '"1ms"',
}

# Ten activities in a row took 140 ms instead of 230 ms, forty such workflows at once 2 s instead of 6 s, when the server's
# SQLite file was in WAL mode. With synchronous=normal a killed process loses nothing; a power cut may lose the last commits.
PRAGMAS = {"journal_mode": "wal", "synchronous": "normal"}


def server_flags() -> list[str]:
    """Flags for `temporal server start-dev`: tuning, and the search attributes that Switchyard's workflows carry."""
    dynamic = [flag for key, value in DYNAMIC_CONFIG.items() for flag in ("--dynamic-config-value", f"{key}={value}")]
    pragmas = [flag for key, value in PRAGMAS.items() for flag in ("--sqlite-pragma", f"{key}={value}")]
    attributes = [flag for name in KEYWORDS for flag in ("--search-attribute", f"{name}=Keyword")]
    return [*dynamic, *pragmas, *attributes]
