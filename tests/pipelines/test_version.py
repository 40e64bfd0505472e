"""Versions from tags and commits, in the order of PEP 440."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pipelines.version import next_version, version_of, version_of_tag

SHA = "ABCDEF1234567890abcdef1234567890abcdef12"


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v1.4.0", "1.4.0"),
        ("1.4.0", "1.4.0"),
        ("v2", "2"),
        ("v2026.01", "2026.1"),
        ("shop-1.4.0", "1.4.0"),
        ("shop/v1.4.0", "1.4.0"),
        ("@acme/shop@1.4.0", "1.4.0"),
        ("v1.4.0-rc.1", "1.4.0rc1"),
        ("v1.4.0rc1", "1.4.0rc1"),
        ("v1.4.0-beta.02", "1.4.0b2"),
        ("v1.4.0-alpha1", "1.4.0a1"),
        ("latest", None),
        ("v1.4.x", None),
        ("", None),
        ("release", None),
        ("v1.4.0-hotfix", None),
        ("v1..4", None),
    ],
)
def test_the_version_of_a_tag(tag: str, version: str | None) -> None:
    assert version_of_tag(tag) == version
    if version:
        assert str(Version(version)) == version


def test_a_tagged_commit_has_the_tags_version() -> None:
    assert version_of(SHA, tag="v1.4.0", last_tag="v1.3.0", distance=7) == "1.4.0"


def test_between_tags_it_is_a_development_version_of_the_next_release() -> None:
    assert version_of(SHA, last_tag="v1.4.0", distance=3) == "1.4.1.dev3+gabcdef12"
    assert version_of(SHA, last_tag="v1.4.0-rc.1", distance=3) == "1.4.0rc2.dev3+gabcdef12"


def test_a_tag_that_is_no_version_does_not_count() -> None:
    assert version_of(SHA, tag="nightly", last_tag="v1.0", distance=1) == "1.1.dev1+gabcdef12"
    assert version_of(SHA, tag="nightly", last_tag="older", distance=9) == "0.1.0.dev9+gabcdef12"


def test_without_any_tag_it_is_before_the_first_release() -> None:
    assert version_of(SHA, distance=12) == "0.1.0.dev12+gabcdef12"
    assert Version(version_of(SHA, distance=12)) < Version("0.1.0")


NUMBERS = st.lists(st.integers(0, 50), min_size=1, max_size=4)


@given(NUMBERS, st.integers(1, 500), st.integers(1, 500))
def test_development_versions_lie_between_releases_in_the_order_of_commits(release: list[int], one: int, more: int) -> None:
    tag = "v" + ".".join(map(str, release))
    first, later = (Version(version_of(SHA, last_tag=tag, distance=count)) for count in (one, one + more))
    base, following = version_of_tag(tag), next_version(version_of_tag(tag) or "")
    assert Version(base or "") < first < later < Version(following)


def test_what_has_no_number_has_no_next() -> None:
    with pytest.raises(ValueError, match="number"):
        next_version("abc")
