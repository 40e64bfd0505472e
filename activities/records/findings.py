"""Findings of a run, and which tools have reported at all: a tool that found nothing is evidence too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from activities.records.database import Database
from activities.records.tables import FindingRow, ReportRow
from pipelines.messages.quality import Finding


class Findings:
    """`source` tells apart what in a stage reported (a step's index, a report's path), as one tool may report twice in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, run_id: str, stage: str, findings: Sequence[Finding], tools: Iterable[str] = (), source: str = "") -> None:
        """Replace all that this source has reported in this stage of this run; without a source, what these tools have.
        `tools`: names that have reported beside those of the findings; a tool that found nothing must be among these."""
        by_tool: dict[str, list[Finding]] = {tool: [] for tool in tools}
        for finding in findings:
            by_tool.setdefault(finding.tool, []).append(finding)
        with self._database.write() as session:
            _withdraw(session, run_id, stage, source, by_tool)
            for tool in sorted(by_tool):
                session.add(ReportRow(run_id=run_id, stage=stage, source=source, tool=tool, unavailable=""))
                session.flush()
                rows = [_row(run_id, stage, source, number, finding) for number, finding in enumerate(by_tool[tool])]
                session.add_all(rows)

    def store_unavailable(self, run_id: str, stage: str, tool: str, why: str, source: str = "") -> None:
        """The tool could not work: what this source (without one: this tool) reported before no longer counts."""
        with self._database.write() as session:
            _withdraw(session, run_id, stage, source, [tool])
            session.add(ReportRow(run_id=run_id, stage=stage, source=source, tool=tool, unavailable=why or "not available"))

    def of_run(self, run_id: str, stage: str | None = None) -> list[Finding]:
        """In the order of stages, tools and their reports."""
        query = select(FindingRow.body).where(FindingRow.run_id == run_id)
        query = query.order_by(FindingRow.stage, FindingRow.tool, FindingRow.source, FindingRow.number)
        if stage is not None:
            query = query.where(FindingRow.stage == stage)
        with self._database.read() as session:
            return [Finding.model_validate_json(body) for body in session.scalars(query)]

    def tools_of_run(self, run_id: str) -> list[str]:
        """Names of the tools that have reported, with or without findings, sorted."""
        return sorted({tool for tool, why in self._reports(run_id) if not why})

    def unavailable_of_run(self, run_id: str) -> dict[str, str]:
        """Why, by tool, for those that could not work in some place of the run."""
        return {tool: why for tool, why in self._reports(run_id) if why}

    def _reports(self, run_id: str) -> list[tuple[str, str]]:
        query = select(ReportRow.tool, ReportRow.unavailable).where(ReportRow.run_id == run_id).order_by(ReportRow.tool)
        with self._database.read() as session:
            return [(tool, why) for tool, why in session.execute(query)]


def _withdraw(session: Session, run_id: str, stage: str, source: str, tools: Collection[str]) -> None:
    """Findings go with the reports that they belong to."""
    old = delete(ReportRow).filter_by(run_id=run_id, stage=stage, source=source)
    session.execute(old if source else old.where(ReportRow.tool.in_(tools)))


def _row(run_id: str, stage: str, source: str, number: int, finding: Finding) -> FindingRow:
    return FindingRow(
        run_id=run_id,
        stage=stage,
        source=source,
        tool=finding.tool,
        number=number,
        severity=finding.severity,
        fingerprint=finding.fingerprint,
        body=finding.model_dump_json(),
    )
