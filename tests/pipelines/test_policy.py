"""Every activity has a policy that notices a crash in time and gives up only where that is safe."""

from __future__ import annotations

from typing import get_args

import pytest

from pipelines import ports
from pipelines.policy import HOST_SILENT, POLICIES, Policy
from pipelines.ports import Pace, Port

_PORTS = [port for port in vars(ports).values() if isinstance(port, Port)]


def test_every_pace_has_a_policy() -> None:
    assert set(POLICIES) == set(get_args(Pace))


@pytest.mark.parametrize("port", _PORTS, ids=lambda port: port.name)
def test_every_activity_has_a_pace(port: Port) -> None:  # type: ignore[type-arg]
    assert port.pace in POLICIES


def test_there_are_ports_and_their_names_are_unique() -> None:
    assert len(_PORTS) > 10
    assert len({port.name for port in _PORTS}) == len(_PORTS)


@pytest.mark.parametrize("pace", list(POLICIES))
def test_times_make_sense(pace: Pace) -> None:
    policy = POLICIES[pace]
    assert 0 < policy.first <= policy.most
    assert policy.backoff >= 1
    assert policy.attempts >= 0
    assert policy.start_to_close > 0
    assert policy.heartbeat is None or 0 < policy.heartbeat < policy.start_to_close


@pytest.mark.parametrize("pace", [pace for pace, policy in POLICIES.items() if policy.start_to_close > 60])
def test_what_takes_long_heartbeats(pace: Pace) -> None:
    assert POLICIES[pace].heartbeat is not None


@pytest.mark.parametrize("pace", ["traffic", "release", "record", "deliver", "watch"])
def test_what_must_happen_is_tried_until_it_works(pace: Pace) -> None:
    assert POLICIES[pace].attempts == 0


def test_a_lost_host_is_noticed_later_than_a_lost_worker() -> None:
    assert (POLICIES["step"].heartbeat or 0) < HOST_SILENT


def test_the_default_is_patient() -> None:
    assert Policy(10) == Policy(10, heartbeat=None, attempts=0)
