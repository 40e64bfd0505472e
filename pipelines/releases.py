"""The release that a stage makes of an artifact."""

from __future__ import annotations

import hashlib
import re

from pipelines.layout import slug
from pipelines.messages.build import Resolved
from pipelines.messages.common import ArtifactRef
from pipelines.messages.deploy import Place, Release
from pipelines.spec import ProcessSpec, ReleaseSpec

_VERSION = 24
_HASH = 11
"""What slug adds to a text that it had to cut."""
_DASHES = re.compile(r"[-_]+")


def release_of(spec: ReleaseSpec, place: Place, artifact: ArtifactRef, commit: Resolved, run_id: str) -> Release:
    """Equal content and configuration give an equal id, so that releasing the same twice is one release."""
    process = spec.process or ProcessSpec(command="")
    return Release(
        id=release_id(place.service, commit.version, artifact.digest, process, spec.replicas),
        place=place,
        artifact=artifact,
        version=commit.version,
        sha=commit.sha,
        run_id=run_id,
        replicas=spec.replicas,
        process=process,
    )


def release_id(service: str, version: str, digest: str, process: ProcessSpec, replicas: int) -> str:
    """A DNS label of at most 63 characters: service, version, and eight hex digits of digest and configuration."""
    content = hashlib.sha256(f"{digest}\n{replicas}\n{process.model_dump_json()}".encode()).hexdigest()[:8]
    words = version.lower().replace(".", "-").replace("+", "-")
    label = slug(words, _VERSION)
    if len(label) > _VERSION:
        label = slug(words, _VERSION - _HASH)
    return _DASHES.sub("-", f"{service[:28]}-{label}-{content}")
