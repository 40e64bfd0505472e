"""python -m tests.bench [names] [--json FILE] [--markdown FILE] [--repetitions N] [--quick]"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import Report
from tests.bench.machine import load, machine, say, versions
from tests.bench.plan import Plan

NAMES = ("overhead", "throughput", "webhook", "approve", "abort", "restart", "cli", "peers")
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """0 when everything could be measured, met or not; 1 when something could not; 130 after Ctrl-C."""
    arguments = _arguments()
    plan = Plan(3 if arguments.quick else arguments.repetitions, arguments.quick)
    report = Report(datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), machine(), versions())
    # A benchmark that is ended by its starter must end its servers too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in arguments.names or NAMES:
        _measure(name, plan, report)
    _write(arguments.json, json.dumps(report.as_json(), indent=1) + "\n")
    if arguments.markdown:
        _write(arguments.markdown, f"# Results of `make bench`\n\n{report.as_markdown()}")
    print(report.as_markdown())
    return 1 if report.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures latency and throughput.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench.json", help="default: %(default)s")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="three repetitions, to see that everything works")
    found = parser.parse_args()
    unknown = set(found.names) - set(NAMES)
    if unknown or found.repetitions < 2:
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}" if unknown else "at least 2 repetitions are needed")
    return found


def _measure(name: str, plan: Plan, report: Report) -> None:
    """One measurement that cannot be made leaves the others."""
    say(f"measuring {name} ...")
    report.loads[name] = load()
    try:
        found = importlib.import_module(f"tests.bench.measures.{name}").measure(plan)
    except Exception as error:
        traceback.print_exc()
        report.failures[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return
    report.figures += found
    for figure in found:
        say(f"  {figure.name}: {figure.value:.1f} {figure.unit} {figure.statistic}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("stopped; what was started has been ended")
        sys.exit(130)
