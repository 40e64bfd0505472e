"""The commit of a tag, asked of the repository: what is told of a release names only the tag."""

from __future__ import annotations

import asyncio
import os

from pipelines.errors import SourceError, Unavailable

LOOK_SECONDS = 5.0
_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:ssh:file", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes"}


async def commit_of_tag(url: str, tag: str, patience: float = LOOK_SECONDS) -> str:
    """Full commit id. Raises SourceError when there is no such tag, Unavailable when the repository does not answer in time."""
    ref = f"refs/tags/{tag}"
    process = await asyncio.create_subprocess_exec(
        "git", "ls-remote", "--", url, ref, f"{ref}^{{}}",
        env={**os.environ, **_ENVIRONMENT},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(), patience)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Unavailable(f"the repository of tag {tag} does not answer", "Deliver it again") from None
    if process.returncode:
        raise Unavailable(f"the repository of tag {tag} cannot be asked for it", "May this host clone it? Then deliver it again")
    return _peeled(out.decode("utf-8", "replace"), ref, tag)


def _peeled(listed: str, ref: str, tag: str) -> str:
    """An annotated tag is an object of its own; the line with '^{}' has its commit."""
    commits = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
    found = commits.get(f"{ref}^{{}}") or commits.get(ref)
    if not found:
        raise SourceError(f"the repository has no tag {tag}", "Was it pushed? Then deliver it again")
    return found
