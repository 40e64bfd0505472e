"""This machine: state directory, disk, ports, token and secrets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipelines.settings import Settings
from starter.doctor.check import Check
from starter.stack.part import Part
from starter.stack.ports import holder, in_use
from starter.stack.processes import recall
from starter.stack.stack import PARTS
from starter.token import token_file

GIB = 1 << 30


def check_machine(settings: Settings) -> Iterator[Check]:
    yield _state_dir(settings.state_dir)
    yield _disk(settings.state_dir)
    for part in PARTS:
        if not part.external(settings):
            yield from _ports(settings, part)
    yield _token(settings)
    yield _webhooks(settings)


def _existing(path: Path) -> Path:
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())


def _state_dir(path: Path) -> Check:
    there = _existing(path)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Check(name="state directory", state="ok", found=str(path) if there == path else f"{path}, made when needed")
    remedy = f"chown {os.getuid()} {there}, or set SWITCHYARD_STATE_DIR to a directory of yours"
    return Check(name="state directory", state="bad", found=f"{path} cannot be written", remedy=remedy)


def _disk(path: Path) -> Check:
    free = shutil.disk_usage(_existing(path)).free
    found = f"{free / GIB:.1f} GiB free for {path}"
    if free > 2 * GIB:
        return Check(name="disk", state="ok", found=found)
    return Check(name="disk", state="bad" if free < GIB / 4 else "warn", found=found, remedy=f"df -h {_existing(path)}")


def _ports(settings: Settings, part: Part) -> Iterator[Check]:
    ours = recall(part.name, settings.layout.stack) is not None
    for setting in part.ports:
        port = getattr(settings.ports, setting)
        name = f"port {setting}"
        if ours or not in_use(port):
            yield Check(name=name, state="ok", found=f"{port}, {'ours' if ours else 'free'}")
            continue
        who = holder(port)
        found = f"{port} is in use{f' by process {who}' if who else ''}; the {part.purpose} needs it"
        yield Check(name=name, state="bad", found=found, remedy=f"stop it, or export SWITCHYARD_PORTS__{setting.upper()}=PORT")


def _token(settings: Settings) -> Check:
    if settings.web.token:
        return Check(name="token", state="ok", found="from the settings")
    file = token_file(settings)
    if not file.exists():
        return Check(name="token", state="warn", found="none yet; 'switchyard up' makes one", remedy="switchyard up")
    if file.stat().st_mode & 0o077:
        return Check(name="token", state="bad", found=f"others can read {file}", remedy=f"chmod 600 {file}")
    return Check(name="token", state="ok", found=str(file))


def _webhooks(settings: Settings) -> Check:
    given = {"github": settings.web.github_secret, "gitlab": settings.web.gitlab_token}
    known = [name for name, secret in given.items() if secret]
    if known:
        return Check(name="webhook secrets", state="ok", found=f"for {', '.join(known)}")
    remedy = "export SWITCHYARD_WEB__GITHUB_SECRET=... (or SWITCHYARD_WEB__GITLAB_TOKEN) to take webhooks"
    return Check(name="webhook secrets", state="warn", found="none, so every webhook is refused", remedy=remedy)
