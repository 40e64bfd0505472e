"""Source: the commit as it really is, and the pipeline that goes with it, read without a checkout."""

from __future__ import annotations

import re
from collections.abc import Callable

from activities.base import implements
from activities.clients.clone_url import CloneUrl
from activities.clients.git import Mirror, Mirrors
from pipelines import library
from pipelines.errors import SourceError, SpecError
from pipelines.load import load_pipeline
from pipelines.messages.build import Resolved
from pipelines.messages.common import RunRequest
from pipelines.ports import RESOLVE
from pipelines.registry import load_registry, registered
from pipelines.spec import Pipeline
from pipelines.version import version_of, version_of_tag

DEFAULT_FILE = ".switchyard.yml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OTHER_TAGS = 20
"""Tags that are no versions and that are passed over on the way to one that is."""

Load = Callable[[str, str], Pipeline]
"""From text and file name; raises SpecError."""
Registered = Callable[[str, str], tuple[Pipeline, str] | None]
"""From repository (owner/name) and pipeline name to a pipeline and the name of its file; None when there is none."""


def shipped(repo: str, name: str) -> tuple[Pipeline, str] | None:
    """What the shipped registry has for a repository. Raises SpecError when the registry or the pipeline is wrong."""
    registry = load_registry(library.registry_text(), "library/registry.yml")
    return registered(repo, name, registry, library.text)


class Source:
    def __init__(self, mirrors: Mirrors, load: Load = load_pipeline, registered: Registered = shipped) -> None:
        self._mirrors = mirrors
        self._load = load
        self._registered = registered

    @implements(RESOLVE)
    def resolve(self, run: RunRequest) -> Resolved:
        """Raises SourceError for a repository or commit that cannot be had, SpecError for a pipeline that is wrong or missing,
        Unavailable and Busy when it may be otherwise later."""
        url = CloneUrl.parse(run.clone_url)
        mirror = self._mirrors.having(url, run.sha)
        commit = mirror.commit(run.sha)
        base = self._mirrors.try_having(url, run.base_sha)
        pipeline, file = self._pipeline(mirror, run)
        return Resolved(
            sha=commit.sha,
            tree=commit.tree,
            version=_version(mirror, commit.sha, run.tag),
            author=commit.author,
            subject=commit.subject,
            committed_at=commit.committed_at,
            changed=mirror.changed(base, commit.sha, since_fork=run.event == "pull_request") if base else None,
            pipeline=pipeline,
            pipeline_file=file,
        )

    def _pipeline(self, mirror: Mirror, run: RunRequest) -> tuple[Pipeline, str]:
        """The repository's own, else the registry's."""
        file = pipeline_file(run.pipeline)
        content = mirror.read(run.sha, file)
        if content is None:
            found = self._registered(run.repo, run.pipeline)
            if found is None:
                raise SpecError(
                    f"{run.repo} has no {file} at {run.sha[:12]}, and no service is registered for it",
                    f"Commit a {file}, or register the repository",
                )
            return found
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SpecError(f"{file}: byte {error.start} is not UTF-8", "Save the file as UTF-8") from None
        return self._load(text, file), file


def pipeline_file(name: str) -> str:
    """Path in the repository. Raises SourceError for a name that is no file name."""
    if not _NAME.fullmatch(name):
        raise SourceError(f"'{name[:80]}' is not a pipeline's name", "Use letters, digits, '.', '_' and '-'")
    return DEFAULT_FILE if name == "default" else f".switchyard/{name}.yml"


def _version(mirror: Mirror, sha: str, tag: str | None) -> str:
    """Of the tag that the event names, else of the nearest version tag in the commit's history."""
    if tag and version_of_tag(tag):
        return version_of(sha, tag=tag)
    last, distance = _nearest_tag(mirror, sha)
    return version_of(sha, tag=last if distance == 0 else None, last_tag=last, distance=distance)


def _nearest_tag(mirror: Mirror, sha: str) -> tuple[str | None, int]:
    passed_over: list[str] = []
    for _ in range(_OTHER_TAGS):
        found = mirror.describe(sha, passed_over)
        if found is None or version_of_tag(found[0]):
            return found or (None, mirror.age(sha))
        passed_over.append(found[0])
    return None, mirror.age(sha)
