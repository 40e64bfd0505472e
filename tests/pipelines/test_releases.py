"""A release's id: readable, a DNS label, and equal for equal content and configuration."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.messages.build import Resolved
from pipelines.messages.common import ArtifactRef
from pipelines.messages.deploy import Place, Release
from pipelines.releases import release_id, release_of
from pipelines.spec import ProcessSpec, ReleaseSpec

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PLACE = Place(environment="production", service="shop")


def _id(service: str = "shop", version: str = "1.4.2", digest: str = "sha256:aa", replicas: int = 1, **process: Any) -> str:
    return release_id(service, version, digest, ProcessSpec(command="serve", **process), replicas)


def test_it_can_be_read() -> None:
    assert re.fullmatch(r"shop-1-4-2-[0-9a-f]{8}", _id())
    assert re.fullmatch(r"shop-1-5-0-dev-3-gabc1234-[0-9a-f]{8}", _id(version="1.5.0-dev.3+gabc1234"))


@given(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True),
    st.one_of(st.text(max_size=80), st.from_regex(r"[0-9]\.[0-9]\.[0-9]-[a-z0-9.+_-]{0,60}", fullmatch=True)),
)
def test_it_is_a_dns_label(service: str, version: str) -> None:
    assert _LABEL.fullmatch(_id(service, version))


def test_equal_content_and_configuration_are_one_release() -> None:
    assert _id(env={"A": "1"}) == _id(env={"A": "1"})


@pytest.mark.parametrize(
    "change", [{"digest": "sha256:bb"}, {"replicas": 2}, {"env": {"A": "1"}}, {"version": "1.4.3"}, {"service": "x"}]
)
def test_any_other_is_another_release(change: dict[str, Any]) -> None:
    assert _id(**change) != _id()


def test_long_versions_are_told_apart() -> None:
    long = "1.0.0-a-very-long-branch-name-of-somebody"
    assert _id(version=long + "1") != _id(version=long + "2")


def _release(**spec: Any) -> Release:
    commit = Resolved.model_construct(sha="a" * 40, version="1.4.2")
    artifact = ArtifactRef(name="app", digest="sha256:aa")
    return release_of(ReleaseSpec(**spec), _PLACE, artifact, commit, "run-1")


def test_a_release_knows_where_it_comes_from() -> None:
    found = _release(process={"command": "serve", "env": {"A": "1"}}, replicas=3)
    assert (found.version, found.sha, found.run_id, found.replicas) == ("1.4.2", "a" * 40, "run-1", 3)
    assert (found.place, found.artifact.digest, found.process.command) == (_PLACE, "sha256:aa", "serve")
    assert found.id == release_id("shop", "1.4.2", "sha256:aa", found.process, 3)
    assert found == _release(process={"command": "serve", "env": {"A": "1"}}, replicas=3)


def test_the_run_is_not_part_of_the_identity() -> None:
    spec = ReleaseSpec(process=ProcessSpec(command="serve"))
    commit = Resolved.model_construct(sha="a" * 40, version="1.4.2")
    artifact = ArtifactRef(name="app", digest="sha256:aa")
    assert release_of(spec, _PLACE, artifact, commit, "run-1").id == release_of(spec, _PLACE, artifact, commit, "run-2").id
