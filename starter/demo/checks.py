"""What the demo promises, judged from outside."""

from __future__ import annotations

import math
from collections import Counter

from starter.demo.place import Place
from starter.demo.told import Check
from starter.demo.traffic import Traffic

SIGMAS = 4.0
"""How far a share may be from its weight: one correct share in 16,000 is farther away by chance."""


def share(answered: Counter[str], version: str, weight: float) -> Check:
    """The part of the answers that `version` gave against `weight` (0..1), within sampling error."""
    total = sum(answered.values())
    allowed = SIGMAS * math.sqrt(weight * (1 - weight) / total) if total else 0.0
    got = answered[version] / total if total else 0.0
    found = f"{answered[version]} of {total} requests ({got:.1%}) were answered by {version}, whose weight is {weight:.0%}"
    return Check(what="the canary's share of the traffic", ok=bool(total) and abs(got - weight) <= allowed, found=found)


def judge(traffic: Traffic, *good: str) -> Check:
    """Nothing was lost, and only the bad candidate answered with errors."""
    own = {version: count for version, count in traffic.errors.items() if version in good}
    found = f"{traffic.sent} sent, {len(traffic.lost)} lost"
    if traffic.lost:
        found += f" ({traffic.lost[0]})"
    if own:
        found += f", errors of good releases: {own}"
    return Check(what="no request was lost to a switch", ok=not traffic.lost and not own and traffic.sent > 0, found=found)


async def audit_whole(place: Place) -> Check:
    """`switchyard audit verify`."""
    done = await place.run("audit", "verify")
    return Check(what="the audit trail is whole", ok=done.returncode == 0, found=(done.stdout or done.stderr).strip())
