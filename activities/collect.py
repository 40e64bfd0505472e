"""What a stage leaves beside its files: reports as evidence, and artifacts with their bills of materials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from activities.base import heartbeat
from activities.checks.testruns import placed
from activities.clients import archive
from activities.clients.archive import Beat
from activities.clients.artifact_store import ArtifactStore
from activities.clients.beats import Sparing
from activities.clients.caches import ArtifactRecords
from activities.clients.report_files import report_files
from activities.clients.sbom import python_sbom
from activities.reports.coverage import combined_coverage
from activities.reports.junit import parse_junit
from activities.reports.sarif import read_sarif
from activities.reports.sources import Sources
from activities.steps.evidence import Evidence
from pipelines.errors import StepFailed
from pipelines.findings import combine, count, dedupe, summarise
from pipelines.messages.artifacts import ArtifactMetadata
from pipelines.messages.build import StageSeal
from pipelines.messages.common import ArtifactRef, FindingCounts, Status, TestSummary
from pipelines.messages.quality import Finding
from pipelines.spec import ArtifactSpec

T = TypeVar("T")


@dataclass
class Collected:
    """What the reports say; `notes` are what could not be read of a stage that failed anyway."""

    tests: TestSummary | None = None
    findings: FindingCounts | None = None
    coverage: float | None = None
    notes: list[str] = field(default_factory=list)


class Reports:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def collect(self, tree: Path, seal: StageSeal) -> Collected:
        """Read and store the stage's reports, and add what its steps have told themselves.

        A stage that passed must have left every report that it declares, whole: otherwise StepFailed, because a gate would decide
        without it. In one that failed, a missing report is nothing new.
        """
        collected = Collected()
        collected.tests = combine([*_given(step.tests for step in seal.steps), *self._junit(tree, seal, collected)])
        found = self._sarif(tree, seal, collected)
        counted = _given(step.findings for step in seal.steps)
        collected.findings = _sum([*counted, *([] if found is None else [count(dedupe(found))])])
        percents = _given([*(step.coverage for step in seal.steps), self._coverage(tree, seal, collected)])
        collected.coverage = min(percents, default=None)
        return collected

    def _junit(self, tree: Path, seal: StageSeal, collected: Collected) -> list[TestSummary]:
        summaries = []
        for path in _files(tree, seal.reports.junit, "junit", seal, collected):
            try:
                cases = placed(parse_junit(path), Sources(tree))
            except StepFailed as error:
                _forgive(error, seal, collected)
                continue
            self._evidence.cases.store(seal.run_id, seal.stage, cases, source=_source(tree, path))
            summaries.append(summarise(cases))
        return summaries

    def _sarif(self, tree: Path, seal: StageSeal, collected: Collected) -> list[Finding] | None:
        found: list[Finding] | None = None
        for path in _files(tree, seal.reports.sarif, "sarif", seal, collected):
            try:
                tools, findings = read_sarif(path, None, Sources(tree))
            except StepFailed as error:
                _forgive(error, seal, collected)
                continue
            self._evidence.findings.store(seal.run_id, seal.stage, findings, tools, source=_source(tree, path))
            found = [*(found or []), *findings]
        return found

    def _coverage(self, tree: Path, seal: StageSeal, collected: Collected) -> float | None:
        try:
            percent = combined_coverage(_files(tree, seal.reports.coverage, "coverage", seal, collected))
        except StepFailed as error:
            _forgive(error, seal, collected)
            return None
        if percent is not None:
            self._evidence.coverage.store(seal.run_id, seal.stage, percent, source="reports")
        return percent


class ArtifactPacker:
    """`host` is named as the builder of what is packed here."""

    def __init__(self, store: ArtifactStore, records: ArtifactRecords, host: str, beat: Beat = heartbeat) -> None:
        self._store = store
        self._records = records
        self._host = host
        self._beat = Sparing(beat)

    def pack(self, tree: Path, seal: StageSeal) -> list[ArtifactRef]:
        """The stage's artifacts, each followed by its SBOM, stored and known. The same files give the same digests. Raises
        StepFailed when a path matches nothing or leads out of the workspace."""
        return [ref for spec in seal.artifacts for ref in self._one(tree, spec, seal)]

    def _one(self, tree: Path, spec: ArtifactSpec, seal: StageSeal) -> list[ArtifactRef]:
        try:
            names = archive.select(tree, spec.paths, spec.exclude)
        except StepFailed as error:
            raise StepFailed(f"artifact {spec.name}: {error.message}", error.remedy) from None
        packed = self._store.pack_names(tree, names, spec.name, version=seal.version)
        self._records.store(packed, self._metadata(seal))
        if spec.sbom == "none":
            return [packed]
        bill = python_sbom(tree, names, spec.name, seal.version, self._beat)
        sbom = self._store.put_bytes(bill, f"{spec.name}-sbom", kind="sbom", version=seal.version)
        self._records.store(sbom, self._metadata(seal, describes=packed.digest))
        return [packed, sbom]

    def _metadata(self, seal: StageSeal, describes: str = "") -> ArtifactMetadata:
        return ArtifactMetadata(
            repo=seal.run.repo,
            run_id=seal.run_id,
            stage=seal.stage,
            sha=seal.run.sha,
            tree=seal.tree,
            builder=self._host,
            created_at=seal.started_at,
            describes=describes,
        )


def _files(tree: Path, patterns: list[str], kind: str, seal: StageSeal, collected: Collected) -> list[Path]:
    heartbeat()
    found, unmatched = report_files(tree, patterns)
    if unmatched:
        missing = StepFailed(
            f"{kind} report '{unmatched[0]}' is not there", "Check 'reports' and that the steps write what they name"
        )
        _forgive(missing, seal, collected)
    return found


def _forgive(error: StepFailed, seal: StageSeal, collected: Collected) -> None:
    """Raises it, unless the stage has failed already."""
    if seal.status == Status.passed:
        raise error
    collected.notes.append(error.message)


def _source(tree: Path, path: Path) -> str:
    return f"report:{path.relative_to(tree).as_posix()}"


def _given(values: Iterable[T | None]) -> list[T]:
    return [value for value in values if value is not None]


def _sum(counts: list[FindingCounts]) -> FindingCounts | None:
    if not counts:
        return None
    return FindingCounts(**{name: sum(getattr(each, name) for each in counts) for name in FindingCounts.model_fields})
