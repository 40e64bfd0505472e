"""What is remembered: audit verify, audit log, findings, dora."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter import exit_codes
from starter.commands.base import Json, Ref, ask, give, load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from pipelines.dora import Dora
    from pipelines.messages.quality import Finding

audit = typer.Typer(help="The audit trail.", no_args_is_help=True)


@audit.command()
def verify(
    witness: Annotated[Path | None, typer.Option(help="Witness file. Default: the one in the state directory.")] = None,
    as_json: Json = False,
) -> None:
    """Recompute the whole hash chain. Ends with 1 when a record was changed, removed, inserted or moved."""
    from activities.records.witness import read_witness
    from starter.records import LateRecords

    settings = load_settings()
    seen = read_witness(witness or settings.layout.audit_witness)
    report = LateRecords(settings).records.audit.verify([seen] if seen else [])
    broken = "\n".join(f"{each.kind} at {each.seq}: {each.message}" for each in report.problems)
    verdict = "the audit trail is whole" if report.ok else "the audit trail is BROKEN"
    give(report, as_json, lambda: f"{verdict}: {report.count} records, head {report.head[:16]}\n{broken}".strip())
    if not report.ok:
        raise typer.Exit(exit_codes.FAILED)


@audit.command("log")
def show_log(
    subject: Annotated[str, typer.Argument(help="Run or rollout id, or environment/service. Default: everything.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """The newest records: who did what, why, and on what evidence."""
    from starter.commands.render import moment
    from starter.records import LateRecords

    trail = LateRecords(load_settings()).records.audit
    entries = trail.of(subject, limit) if subject else trail.recent(limit)

    def table() -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        lines = Table("TIME", "WHO", "WHAT", "ABOUT", "WHY", box=None, pad_edge=False)
        for entry in entries:
            said = entry.audit
            lines.add_row(*map(Text, (moment(entry.at), said.actor, said.action, said.subject, said.reason)))
        return lines

    give(entries, as_json, table)


def findings(
    ref: Ref,
    stage: Annotated[str, typer.Option("--stage", "-s", help="Only this stage's.")] = "",
    as_json: Json = False,
) -> None:
    """What the checks of a run found."""
    from starter import runs
    from starter.records import LateRecords

    settings = load_settings()
    run_id = ask(lambda client: runs.resolve(client, ref), settings)
    found = LateRecords(settings).records.findings.of_run(run_id, stage or None)
    give(found, as_json, lambda: _findings_table(found))


def _findings_table(found: Sequence[Finding]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    if not found:
        return Text("no findings")
    table = Table("SEVERITY", "TOOL", "RULE", "WHERE", "WHAT", box=None, pad_edge=False)
    order = ("critical", "high", "medium", "low", "info")
    for each in sorted(found, key=lambda finding: (order.index(finding.severity), finding.path, finding.line or 0)):
        where = f"{each.path}:{each.line}" if each.line else each.path
        table.add_row(*map(Text, (each.severity, each.tool, each.rule, where, each.message)))
    return table


def dora(
    days: Annotated[float, typer.Option(min=0.01, help="How far to look back.")] = 30.0,
    environment: Annotated[str, typer.Option("--environment", "-e", help="Only this one.")] = "",
    as_json: Json = False,
) -> None:
    """Deployment frequency, lead time, change failure rate and time to restore, by environment and service."""
    from pipelines.dora import DAY
    from pipelines.dora import dora as figures
    from starter.records import LateRecords

    rollouts = LateRecords(load_settings()).records.deployments.recent(None, since=time.time() - days * DAY)
    found = [each for each in figures(rollouts, days) if environment in ("", each.environment)]
    give(found, as_json, lambda: _dora_table(found))


def _dora_table(found: Sequence[Dora]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    from starter.commands.render import seconds

    if not found:
        return Text("no rollout has ended in that time")
    names = ("ENVIRONMENT", "SERVICE", "DEPLOYMENTS", "PER DAY", "LEAD TIME", "FAILURE RATE", "TIME TO RESTORE")
    table = Table(*names, box=None, pad_edge=False)
    for each in found:
        rate = f"{each.failure_rate:.0%}" if each.failure_rate is not None else ""
        facts = (each.environment, each.service, str(each.deployments), f"{each.per_day:.2f}", seconds(each.lead_time), rate)
        table.add_row(*map(Text, (*facts, seconds(each.restore_time))))
    return table


def register(app: typer.Typer) -> None:
    app.add_typer(audit, name="audit")
    app.command()(findings)
    app.command()(dora)
