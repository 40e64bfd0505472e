"""Versions of what a build makes, as PEP 440 orders them."""

from __future__ import annotations

import re

FIRST = "0.1.0"
"""The version that comes first where no tag is a version."""

_TAG = re.compile(r"(?:.*[/@-])?v?(?P<release>\d+(?:\.\d+)*)(?:[-_.]?(?P<pre>a|b|rc|alpha|beta)[-_.]?(?P<number>\d+))?")
_PRE = {"alpha": "a", "beta": "b"}


def version_of_tag(tag: str) -> str | None:
    """'1.4.0' for v1.4.0, 1.4.0, shop-1.4.0 or shop/v1.4.0; '1.4.0rc1' for v1.4.0-rc.1; None for a tag that is no version."""
    match = _TAG.fullmatch(tag)
    if match is None:
        return None
    release = ".".join(str(int(part)) for part in match["release"].split("."))
    if match["pre"] is None:
        return release
    return f"{release}{_PRE.get(match['pre'], match['pre'])}{int(match['number'])}"


def version_of(sha: str, tag: str | None = None, last_tag: str | None = None, distance: int = 0) -> str:
    """The tag's version when the commit is tagged; else a development version of the release that comes next.

    `last_tag` is the nearest version tag before the commit, `distance` the number of commits since it (or since the beginning).
    3 commits after v1.4.0 is '1.4.1.dev3+gabc12345': after 1.4.0 and before 1.4.1, as setuptools-scm's guess-next-dev has it.
    """
    exact = version_of_tag(tag) if tag else None
    if exact:
        return exact
    base = version_of_tag(last_tag) if last_tag else None
    return f"{next_version(base) if base else FIRST}.dev{distance}+g{sha[:8].lower()}"


def next_version(version: str) -> str:
    """The smallest version to expect next: the last number of a release, or of a pre-release, one up."""
    match = re.fullmatch(r"(.*?)(\d+)", version)
    if match is None:
        raise ValueError(f"'{version}' does not end with a number")
    return f"{match[1]}{int(match[2]) + 1}"
