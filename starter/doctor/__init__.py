"""`switchyard doctor`: what is present, missing or misconfigured, and the command that mends it."""

from __future__ import annotations

import asyncio

from pipelines.errors import SettingsError
from pipelines.settings import Settings
from starter.client import is_embedded
from starter.doctor.check import Check
from starter.doctor.machine import check_machine
from starter.doctor.programs import check_programs
from starter.doctor.services import check_services

__all__ = ["Check", "examine"]


def examine(settings: Settings) -> list[Check]:
    """Everything that can be looked at without changing anything."""
    try:
        embedded = is_embedded(settings)
    except SettingsError as error:
        wrong = Check(name="settings", state="bad", found=error.message, remedy=error.remedy)
        return [*check_programs(embedded=True), wrong]
    return [*check_programs(embedded), *check_machine(settings), *asyncio.run(check_services(settings))]
