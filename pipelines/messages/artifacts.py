"""What is known about a stored artifact beside its bytes."""

from __future__ import annotations

from pydantic import Field

from pipelines.messages.common import ArtifactRef, Message


class ArtifactMetadata(Message):
    """Where an artifact comes from. Times in Unix seconds; `created_at` 0: when it is stored."""

    repo: str = ""
    run_id: str = ""
    stage: str = ""
    sha: str = ""
    tree: str = ""
    builder: str = Field("", description="host that built it")
    created_at: float = 0.0
    describes: str = Field("", description="digest of the artifact that this one (an SBOM, a report) is about")
    facts: dict[str, str] = Field(default_factory=dict, description="anything else worth showing")


class StoredArtifact(Message):
    """`used_at` is when a run last stored or reused it, Unix seconds."""

    ref: ArtifactRef
    metadata: ArtifactMetadata
    used_at: float = 0.0
