"""While replicas are added, whoever watches the release must not take them for broken ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from pipelines.messages.deploy import ReleaseStatus
from pipelines.rollouts.health import PATIENCE, broken
from tests.support.releases import Bench


def test_replicas_that_are_being_added_are_not_broken(bench: Bench) -> None:
    """The second one takes its time to become ready, and is looked at all the while."""
    release = bench.release("r1", env={"STARTUP": "1"})
    bench.ensure(release)
    looks: list[ReleaseStatus] = []
    with ThreadPoolExecutor(1) as pool:
        growing = pool.submit(bench.ensure, release, 2)
        while not growing.done():
            looks.append(bench.deploy.inspect(release))
        assert growing.result().ready == 2
    assert any(status.ready < len(status.replicas) for status in looks)
    assert {broken([status] * PATIENCE) for status in looks} == {""}
    assert not any(replica.starting for replica in bench.deploy.inspect(release).replicas)
