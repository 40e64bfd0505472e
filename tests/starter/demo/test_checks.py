"""What the demo promises is judged by figures, and can fail."""

from __future__ import annotations

from collections import Counter

import pytest

from starter.demo.checks import judge, share
from starter.demo.traffic import Traffic


@pytest.mark.parametrize(("canary", "ok"), [(200, True), (180, True), (245, True), (120, False), (300, False), (0, False)])
def test_a_share_is_right_within_sampling_error(canary: int, ok: bool) -> None:
    check = share(Counter({"new": canary, "old": 1000 - canary}), "new", 0.2)
    assert check.ok is ok
    assert f"{canary} of 1000" in check.found


def test_no_traffic_is_no_share() -> None:
    assert not share(Counter(), "new", 0.2).ok


def test_a_lost_request_breaks_the_promise() -> None:
    traffic = Traffic("http://127.0.0.1:1/", "x", sent=10)
    assert judge(traffic, "1").ok
    traffic.lost.append("502 from the proxy")
    found = judge(traffic, "1")
    assert not found.ok
    assert "502 from the proxy" in found.found


def test_errors_are_the_bad_release_s_only() -> None:
    traffic = Traffic("http://127.0.0.1:1/", "x", sent=10)
    traffic.errors["bad"] = 4
    assert judge(traffic, "good").ok
    traffic.errors["good"] = 1
    assert not judge(traffic, "good").ok


def test_nothing_sent_proves_nothing() -> None:
    assert not judge(Traffic("http://127.0.0.1:1/", "x"), "good").ok
