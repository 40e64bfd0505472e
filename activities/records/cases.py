"""Test cases and coverage of a run, and the history of flaky tests."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import delete, func, select

from activities.records.database import Database, upsert
from activities.records.tables import CaseRow, CoverageRow, FlakyRow, RunRow
from pipelines.findings import is_flaky
from pipelines.messages.common import Message
from pipelines.messages.quality import TestCase


class FlakyTest(Message):
    """A test that failed at first and passed when run again: in how many runs, and when it was seen first and last (Unix
    seconds)."""

    suite: str
    name: str
    runs: int
    first_at: float
    last_at: float


class Cases:
    """`source` tells apart what in a stage reported (a step's index, a report's path)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, run_id: str, stage: str, cases: Sequence[TestCase], source: str = "", at: float | None = None) -> None:
        """Replace what this source has reported in this stage of this run; flaky ones go into the history."""
        key = {"run_id": run_id, "stage": stage, "source": source}
        now = time.time() if at is None else at
        with self._database.write() as session:
            session.execute(delete(CaseRow).filter_by(**key))
            session.execute(delete(FlakyRow).filter_by(**key))
            for number, case in enumerate(cases):
                row = {**key, "number": number, "suite": case.suite, "name": case.name}
                session.add(CaseRow(**row, status=case.status, body=case.model_dump_json()))
                if is_flaky(case):
                    session.add(FlakyRow(**row, at=now))

    def of_run(self, run_id: str, stage: str | None = None) -> list[TestCase]:
        """In the order of stages and their reports."""
        query = select(CaseRow.body).where(CaseRow.run_id == run_id).order_by(CaseRow.stage, CaseRow.source, CaseRow.number)
        if stage is not None:
            query = query.where(CaseRow.stage == stage)
        with self._database.read() as session:
            return [TestCase.model_validate_json(body) for body in session.scalars(query)]

    def flaky(self, repo: str, limit: int = 100) -> list[FlakyTest]:
        """Of the recorded runs of a repository; those that are flaky most often first."""
        runs = func.count(FlakyRow.run_id.distinct())
        last = func.max(FlakyRow.at)
        query = (
            select(FlakyRow.suite, FlakyRow.name, runs, func.min(FlakyRow.at), last)
            .join(RunRow, RunRow.run_id == FlakyRow.run_id)
            .where(RunRow.repo == repo)
            .group_by(FlakyRow.suite, FlakyRow.name)
            .order_by(runs.desc(), last.desc(), FlakyRow.suite, FlakyRow.name)
            .limit(limit)
        )
        with self._database.read() as session:
            found = session.execute(query).all()
        return [FlakyTest(suite=row[0], name=row[1], runs=row[2], first_at=row[3], last_at=row[4]) for row in found]


class Coverage:
    """Line coverage in percent, by run, stage and source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, run_id: str, stage: str, percent: float, source: str = "") -> None:
        row = {"run_id": run_id, "stage": stage, "source": source, "percent": percent}
        with self._database.write() as session:
            upsert(session, CoverageRow, row, ["run_id", "stage", "source"])

    def of_run(self, run_id: str) -> float | None:
        """The lowest that was reported, so that one good report cannot hide a bad one; None: none was."""
        with self._database.read() as session:
            return session.scalar(select(func.min(CoverageRow.percent)).where(CoverageRow.run_id == run_id))
