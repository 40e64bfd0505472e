"""Search attributes: stored names that never change."""

from __future__ import annotations

from pipelines import attributes


def test_the_names_are_what_is_stored_already() -> None:
    assert attributes.KEYWORDS == (
        "SwitchyardRepo",
        "SwitchyardBranch",
        "SwitchyardSha",
        "SwitchyardService",
        "SwitchyardEnvironment",
        "SwitchyardStrategy",
        "SwitchyardStatus",
    )


def test_none_is_forgotten() -> None:
    named = {value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)}
    assert named == set(attributes.KEYWORDS)
    assert len(attributes.KEYWORDS) == len(named)
