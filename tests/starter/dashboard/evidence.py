"""What a run leaves in the records: findings, tests and a gate's decisions, and what was measured of its rollout."""

from __future__ import annotations

import time

from activities.records import Records
from pipelines.counters import Counters
from pipelines.messages.common import Audit
from pipelines.messages.quality import Finding, TestCase
from tests.starter.standins import release


def finding(message: str = "unused import", **more: str) -> Finding:
    base = {"tool": "ruff", "rule": "F401", "severity": "low", "path": "shop/app.py", "fingerprint": message}
    return Finding.model_validate(base | more | {"message": message, "line": 7})


def seed(records: Records, run_id: str, words: str = "unused import") -> None:
    """One finding, three tests and one refused gate, with `words` in every text that a tool or a person may choose."""
    records.findings.store(run_id, "check", [finding(words, rule=words, path=words)], ["mypy"])
    records.findings.store_unavailable(run_id, "audit", "pip-audit", words)
    cases = [
        TestCase(suite="cart", name="adds", status="passed", seconds=0.1),
        TestCase(suite="cart", name=f"pays {words}", status="failed", message=words, place="tests/test_cart.py:12"),
        TestCase(suite="cart", name="ships", status="passed", runs=["failed", "passed"]),
    ]
    records.tests.store(run_id, "unit", cases)
    evidence = {"stage": "check", "00": f"coverage 71 % of at least 80 %: {words}"}
    refused = Audit(
        key=f"{run_id}-gate", subject=run_id, action="gate.refused", actor="switchyard", reason=words, evidence=evidence
    )
    records.audit.append(refused)


def look(at: float, requests: float, errors: float) -> dict[str, object]:
    counted = Counters(
        process=1.0,
        codes={"200": requests - errors, "500": errors},
        buckets={"0.1": requests * 0.9, "0.5": requests, "+Inf": requests},
        seconds=requests / 20,
    )
    return {**counted.model_dump(exclude={"at"}), "at": at}


def measure(records: Records, seconds: int = 20) -> None:
    """What the proxy counted of the stand-in rollout's releases until now: 40 requests a second, 10 to the candidate."""
    place, now = release("two").place.key, time.time()
    for number in range(seconds):
        at = now - seconds + number
        records.samples.store(place, "one", at, look(at, 40.0 * number, 0.0))
        records.samples.store(place, "two", at, look(at, 10.0 * number, 2.0 * number))
