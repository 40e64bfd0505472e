"""The four key figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dora import dora
from pipelines.messages.notify import DeploymentRecord

_NEXT = iter(range(10**6))


def rollout(status: str = "promoted", **fields: object) -> DeploymentRecord:
    number = next(_NEXT)
    given = {
        "key": f"rollout/production/shop/{number}",
        "environment": "production",
        "service": "shop",
        "release_id": f"r{number}",
        "digest": "sha256:0",
        "status": status,
        "started_at": 1000.0,
        "finished_at": 1100.0,
    }
    return DeploymentRecord.model_validate(given | fields)


def test_nothing_ended_is_no_figure() -> None:
    assert dora([], 7) == []
    assert dora([rollout("started", finished_at=None)], 7) == []


def test_frequency_counts_what_took_all_traffic() -> None:
    records = [rollout(), rollout(), rollout("rolled-back"), rollout("superseded"), rollout("unchanged"), rollout(rollback=True)]
    [figures] = dora(records, 4)
    assert (figures.deployments, figures.per_day) == (2, 0.5)


def test_lead_time_is_the_median_from_commit_to_all_traffic() -> None:
    records = [rollout(committed_at=at) for at in (1090.0, 1000.0, 100.0)] + [rollout(committed_at=0.0)]
    [figures] = dora(records, 1)
    assert figures.lead_time == 100.0


def test_failures_are_what_turned_back_on_the_way_or_afterwards() -> None:
    bad = rollout(release_id="bad", started_at=1000, finished_at=1100)
    back = rollout(rollback=True, previous="bad", started_at=1400, finished_at=1500)
    [figures] = dora([rollout(), bad, back, rollout("rolled-back"), rollout("failed"), rollout("aborted")], 1)
    assert figures.failures == 3
    assert figures.failure_rate == pytest.approx(3 / 4)


def test_restoring_takes_from_the_change_to_stable_again() -> None:
    bad = rollout(release_id="bad", finished_at=1100)
    back = rollout(rollback=True, previous="bad", started_at=1400, finished_at=1500)
    turned = rollout("rolled-back", started_at=1000, finished_at=1060)
    [figures] = dora([bad, back, turned], 1)
    assert figures.restore_time == pytest.approx((400 + 60) / 2)


def test_a_rollback_that_came_before_or_failed_undoes_nothing() -> None:
    bad = rollout(release_id="bad", finished_at=1100)
    early = rollout(rollback=True, previous="bad", finished_at=900)
    broken = rollout("failed", rollback=True, previous="bad", finished_at=1500)
    [figures] = dora([bad, early, broken], 1)
    assert (figures.failures, figures.restore_time) == (0, None)


def test_a_release_undone_twice_counts_once() -> None:
    bad = rollout(release_id="bad", finished_at=1100)
    backs = [rollout(rollback=True, previous="bad", finished_at=at) for at in (1700, 1300)]
    [figures] = dora([bad, *backs], 1)
    assert (figures.failures, figures.restore_time) == (1, 200)


def test_each_place_has_its_own_figures_in_order() -> None:
    records = [rollout(environment="staging"), rollout(service="cart"), rollout()]
    assert [(each.environment, each.service) for each in dora(records, 1)] == [
        ("production", "cart"), ("production", "shop"), ("staging", "shop"),
    ]  # fmt: skip


def test_without_traffic_there_is_no_rate() -> None:
    [figures] = dora([rollout("aborted")], 1)
    assert (figures.failure_rate, figures.lead_time, figures.restore_time) == (None, None, None)


@given(st.lists(st.sampled_from(["promoted", "rolled-back", "failed", "aborted", "superseded", "unchanged"]), min_size=1))
def test_rates_stay_between_none_and_all(statuses: list[str]) -> None:
    [figures] = dora([rollout(status) for status in statuses], 3)
    assert figures.failure_rate is None or 0 <= figures.failure_rate <= 1
    assert figures.deployments == statuses.count("promoted")
