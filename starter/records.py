"""The records for commands and pages that only read them. Opened late, because most commands need none."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pipelines.errors import NotFound
from pipelines.messages.notify import RunRecord
from pipelines.settings import Settings

if TYPE_CHECKING:
    from activities.records import Records


class LateRecords:
    """Opens the records when first asked. Also serves `starter.runs.describe` as the memory of forgotten runs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def records(self) -> Records:
        """Raises NotFound when no worker has ever made them: reading must not create an empty database."""
        if not self._settings.database_url and not self._settings.layout.database.exists():
            where = self._settings.layout.database
            raise NotFound(f"there are no records yet at {where}", "A worker makes them when it starts: 'switchyard up'")
        from activities.records import Records

        return Records(self._settings.database)

    def get(self, run_id: str) -> RunRecord | None:
        try:
            return self.records.runs.get(run_id)
        except NotFound:
            return None
