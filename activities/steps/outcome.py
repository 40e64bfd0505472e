"""From a check's report and its commands' endings to the step's result; secrets are taken out of what will be stored."""

from __future__ import annotations

import time
from dataclasses import replace

from activities.checks.base import CheckReport
from activities.steps.carry import Carried
from activities.steps.folder import StepFolder, StepRecord
from activities.steps.masking import Masker
from activities.steps.steplog import StepLog
from pipelines.findings import count, summarise
from pipelines.messages.build import StepInput, StepResult

_LONGEST = 500


def censored(report: CheckReport, masker: Masker) -> CheckReport:
    """Tools quote what they find, tests what they compare."""
    findings = report.findings and tuple(
        finding.model_copy(update={"message": masker.string(finding.message), "remedy": masker.string(finding.remedy)})
        for finding in report.findings
    )
    tests = report.tests and tuple(
        case.model_copy(update={"name": masker.string(case.name), "message": masker.string(case.message)})
        for case in report.tests
    )
    lines = tuple(masker.string(line) for line in report.lines)
    return replace(report, message=masker.string(report.message), findings=findings, tests=tests, lines=lines)


def write_lines(folder: StepFolder, masker: Masker, report: CheckReport) -> None:
    """Show a check's own words in the log, after those of its commands."""
    log = StepLog(folder.log, masker)
    try:
        for line in (*report.lines, report.message):
            log.line(line)
    finally:
        log.close()


def result_of(step: StepInput, folder: StepFolder, record: StepRecord, carried: Carried) -> StepResult:
    """The message of a plain command is what its supervisor heard last."""
    report, endings = carried.report, carried.endings
    last = endings[-1] if endings else None
    message = report.message or (last.message if last and not report.status.ok else "")
    return StepResult(
        key=step.key,
        title=step.step.title,
        status=report.status,
        exit_code=last.exit_code if last else None,
        attempt=step.attempt,
        started_at=record.started_at,
        finished_at=max([ending.finished_at for ending in endings], default=time.time()),
        cpu_seconds=round(sum(ending.cpu_seconds for ending in endings), 6),
        max_rss=max([ending.max_rss for ending in endings], default=0),
        log=folder.log_name,
        message=" ".join(message.split())[:_LONGEST],
        findings=None if report.findings is None else count(report.findings),
        tests=None if report.tests is None else summarise(report.tests),
        coverage=report.coverage,
    )
