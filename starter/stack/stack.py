"""Bringing the local stack up and down. Both can be repeated: what runs is left alone, what is missing is started."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from pipelines.errors import Busy, SettingsError, Unavailable, UserError
from pipelines.settings import Settings
from starter.stack.part import Part, environment
from starter.stack.ports import require_free
from starter.stack.processes import Record, forget, last_lines, recall, spawn, stop, wait
from starter.stack.proxy import PROXY
from starter.stack.temporal import TEMPORAL
from starter.stack.web import WEB
from starter.stack.worker import WORKER

WAVES: tuple[tuple[Part, ...], ...] = ((TEMPORAL, PROXY), (WORKER, WEB))
"""Parts of a wave start together, when the wave before is healthy."""
PARTS = tuple(part for wave in WAVES for part in wave)
REPAIR_SECONDS = 3.0
"""How long a part that runs may be unwell before `up` starts it anew."""

Tell = Callable[[str], None]


class PartState(BaseModel):
    """`state`: started or running (by `up`), healthy, unhealthy or down (by `status`), external (a configured server does it),
    or how it ended (by `down`)."""

    name: str
    state: str
    pid: int | None = None
    address: str = ""
    log: str = ""


def up(settings: Settings, only: Sequence[str] = (), tell: Tell = lambda text: None) -> list[PartState]:
    """Start what is missing of the parts (`only`: of these) and wait until each is healthy.

    Raises Conflict for a port in use, Unavailable with the last log lines for a part that ends or stays unwell.
    """
    with _locked(settings):
        return [state for wave in WAVES for state in _raise_wave(settings, _chosen(wave, only), tell)]


def down(settings: Settings, only: Sequence[str] = (), tell: Tell = lambda text: None) -> list[PartState]:
    """Stop exactly what `up` started, last part first; nothing that merely has a port or a pid of ours."""
    with _locked(settings):
        return [_lower(settings, part, tell) for part in reversed(PARTS) if part in _chosen(PARTS, only)]


def status(settings: Settings) -> list[PartState]:
    """What `up` started, as it is now."""
    return [_state(settings, part) for part in PARTS]


def _chosen(parts: Sequence[Part], only: Sequence[str]) -> list[Part]:
    unknown = set(only) - {part.name for part in PARTS}
    if unknown:
        raise UserError(f"no part is called {', '.join(sorted(unknown))}", f"Parts: {', '.join(part.name for part in PARTS)}")
    return [part for part in parts if not only or part.name in only]


def _raise_wave(settings: Settings, parts: Sequence[Part], tell: Tell) -> list[PartState]:
    begun = [(part, *_begin(settings, part)) for part in parts]
    return [_await_healthy(settings, part, record, how, tell) for part, record, how in begun]


Begun = Literal["external", "running", "started"]


def _begin(settings: Settings, part: Part) -> tuple[Record | None, Begun]:
    """The part's process, found or started."""
    if part.external(settings):
        return None, "external"
    folder = settings.layout.stack
    known = recall(part.name, folder)
    if known:
        if wait(lambda: not known.alive or part.healthy(settings, known), REPAIR_SECONDS) and known.alive:
            return known, "running"
        stop(known, part.stop_patience(settings))
    for port in part.ports:
        require_free(getattr(settings.ports, port), port, part.purpose)
    part.before(settings)
    return spawn(part.name, part.command(settings), env=environment(settings), folder=folder.resolve()), "started"


def _await_healthy(settings: Settings, part: Part, record: Record | None, how: Begun, tell: Tell) -> PartState:
    if record is None:
        tell(f"{part.purpose}: {part.external(settings)} is configured")
        return PartState(name=part.name, state=how, address=part.external(settings))
    begun = time.monotonic()
    wait(lambda: not record.alive or part.healthy(settings, record), part.patience)
    if not record.alive or not part.healthy(settings, record):
        raise _unwell(settings, part, record)
    part.after(settings)
    tell(f"{part.purpose}: {how} {part.address(settings)}".rstrip() + f" ({time.monotonic() - begun:.1f} s)")
    return _describe(settings, part, record, how)


def _unwell(settings: Settings, part: Part, record: Record) -> Unavailable:
    log = settings.layout.stack / f"{part.name}.log"
    what = f"is not healthy after {part.patience:g} s" if record.alive else "ended at once"
    lines = last_lines(part.name, settings.layout.stack)
    return Unavailable(f"the {part.purpose} {what}; the end of its log:\n{lines}\n", f"The whole log: {log}")


def _describe(settings: Settings, part: Part, record: Record, state: str) -> PartState:
    log = str(settings.layout.stack / f"{part.name}.log")
    return PartState(name=part.name, state=state, pid=record.pid, address=part.address(settings), log=log)


def _lower(settings: Settings, part: Part, tell: Tell) -> PartState:
    folder = settings.layout.stack
    record = recall(part.name, folder)
    how = stop(record, part.stop_patience(settings)) if record else "was not running"
    forget(part.name, folder)
    tell(f"{part.purpose}: {how}")
    return PartState(name=part.name, state=how, pid=record.pid if record else None)


def _state(settings: Settings, part: Part) -> PartState:
    if part.external(settings):
        return PartState(name=part.name, state="external", address=part.external(settings))
    record = recall(part.name, settings.layout.stack)
    if not record:
        return PartState(name=part.name, state="down")
    return _describe(settings, part, record, "healthy" if part.healthy(settings, record) else "unhealthy")


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    """One `up` or `down` at a time, so that nothing is started twice. Raises Busy, SettingsError."""
    folder: Path = settings.layout.stack
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        remedy = "Set SWITCHYARD_STATE_DIR to a directory that you may write to"
        raise SettingsError(f"{folder} cannot be written: {error.strerror}", remedy) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another 'switchyard up' or 'down' is at work in {folder}", "Wait for it, then try again") from None
        yield
