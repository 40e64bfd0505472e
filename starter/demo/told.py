"""What the demo says: lines for people while it goes on, one JSON object at the end for scripts."""

from __future__ import annotations

import sys
import time

from pydantic import BaseModel, Field

from starter.commands.base import console


class Check(BaseModel):
    """Something that the demo promises, whether it held, and the figures."""

    what: str
    ok: bool
    found: str = ""


class RunOutcome(BaseModel):
    run_id: str
    commit: str
    version: str
    status: str
    rollout: str
    reason: str = ""
    weights: list[int] = Field(default_factory=list, description="percent to the candidate, in the order they were set")
    seconds: float


class Summary(BaseModel):
    """`answered` and `errors` are requests by version; an error is the service's own answer of 500 or more."""

    ok: bool = False
    reason: str = ""
    dashboard: str = ""
    temporal_ui: str = ""
    service: str = ""
    runs: list[RunOutcome] = Field(default_factory=list)
    sent: int = 0
    answered: dict[str, int] = Field(default_factory=dict)
    errors: dict[str, int] = Field(default_factory=dict)
    lost: int = 0
    lost_why: list[str] = Field(default_factory=list, description="the first ten")
    checks: list[Check] = Field(default_factory=list)
    seconds: float = 0.0


class Teller:
    """`quiet`: nothing is said, because a script reads the summary."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def title(self, text: str) -> None:
        self._print(f"\n[bold]{text}[/bold]")

    def line(self, text: str, style: str = "") -> None:
        """`text` is taken as it is: no markup in it."""
        if not self._quiet:
            console().print(f"{self.seconds:6.1f} s  {text}", style=style, markup=False, soft_wrap=True)

    def _print(self, text: str) -> None:
        if not self._quiet:
            console().print(text, soft_wrap=True)

    def summary(self, summary: Summary, ways: list[tuple[str, str]]) -> None:
        """The last words."""
        if self._quiet:
            sys.stdout.write(summary.model_dump_json(indent=2) + "\n")
            return
        self._requests(summary)
        for check in summary.checks:
            self._mark(f"{'✓' if check.ok else '✗'} {check.what}: {check.found}", check.ok)
        console().print()
        for name, value in ways:
            console().print(f"{name:<12}{value}", markup=False, soft_wrap=True)
        console().print()
        self._mark(f"Demo {'done' if summary.ok else 'failed: ' + summary.reason}, after {summary.seconds:.0f} s", summary.ok)

    def _mark(self, text: str, ok: bool) -> None:
        console().print(text, style="green" if ok else "red", markup=False, soft_wrap=True)

    def _requests(self, summary: Summary) -> None:
        from rich.table import Table

        table = Table("VERSION", "ANSWERED", "OF THESE ERRORS OF ITS OWN", box=None, pad_edge=False)
        for version, count in summary.answered.items():
            table.add_row(version, str(count), str(summary.errors.get(version, 0)))
        self.title(f"Requests: {summary.sent} sent, {summary.lost} lost")
        console().print(table)
