"""The commit that somebody means: of the checkout they are in, of a path, or of a URL."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.errors import SourceError, UserError
from pipelines.messages.common import RunRequest

_FULL = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SCP = re.compile(r"^(?:[^@/]+@)?(?P<host>[^:/]+):(?!//)(?P<path>.+)$")
GIT_SECONDS = 60.0


def request_for(repo: str, sha: str, *, branch: str, pipeline: str, reuse: bool, actor: str) -> RunRequest:
    """A run of `sha` (any name that git knows; '': what is checked out, or the remote's default branch).

    Raises SourceError when there is no such repository or commit.
    """
    found = _of_checkout(Path(repo), sha, branch) if Path(repo).exists() else _of_remote(repo, sha, branch)
    return found.model_copy(update={"pipeline": pipeline, "reuse": reuse, "actor": actor, "event": "manual"})


def _of_checkout(path: Path, sha: str, branch: str) -> RunRequest:
    """The local repository itself is cloned, so that a commit need not be pushed to be tried."""
    top = Path(_git(path, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    full = _commit(path, sha)
    origin = _git(path, "config", "--default", "", "--get", "remote.origin.url")
    name = top.parent.name if top.name == ".git" else top.name.removesuffix(".git")
    return RunRequest(
        provider="local",
        repo=_repo_name(origin) if origin else f"local/{name}",
        clone_url=str(top.parent if top.name == ".git" else top),
        sha=full,
        branch=branch or _git(path, "branch", "--show-current"),
        title=_git(path, "log", "-1", "--format=%s", full),
    )


def _commit(path: Path, name: str) -> str:
    try:
        return _git(path, "rev-parse", "--verify", "--quiet", f"{name or 'HEAD'}^{{commit}}")
    except SourceError:
        what = f"{path} has no commit '{name}'" if name else f"{path} has no commit yet"
        raise SourceError(what, "Commit something, or name a commit, branch or tag with --sha") from None


def _of_remote(url: str, sha: str, branch: str) -> RunRequest:
    if not urlsplit(url).scheme and not _SCP.match(url):
        raise SourceError(f"'{url}' is neither a folder here nor a URL", "Give --repo a path or a URL that git can clone")
    full = sha if _FULL.fullmatch(sha) else _listed(url, sha or branch or "HEAD")
    return RunRequest(provider=_provider(url), repo=_repo_name(url), clone_url=url, sha=full, branch=branch or _branch_of(sha))


def _branch_of(sha: str) -> str:
    return "" if _FULL.fullmatch(sha) else sha


def _listed(url: str, name: str) -> str:
    """The commit that a remote has under a name; a tag's commit rather than the tag object."""
    lines = [line.split("\t") for line in _git(Path.cwd(), "ls-remote", "--", url, name, f"{name}^{{}}").splitlines()]
    if not lines:
        raise SourceError(f"{_hidden(url)} has no branch or tag '{name}'", "Give --sha a full commit id, a branch or a tag")
    peeled = [commit for commit, ref in lines if ref.endswith("^{}")]
    return (peeled or [commit for commit, _ in lines])[0]


def _git(path: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(path), *arguments], capture_output=True, text=True, timeout=GIT_SECONDS, check=False
        )
    except FileNotFoundError:
        raise UserError("git is not installed", "Install it: apt-get install git") from None
    except subprocess.TimeoutExpired:
        raise SourceError(f"git {arguments[0]} did not answer within {GIT_SECONDS:g} s", "Is the repository reachable?") from None
    if done.returncode:
        why = _hidden(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit status {done.returncode}")
        raise SourceError(f"git {arguments[0]}: {why}", "Run it inside a checkout, or name --repo and --sha")
    return done.stdout.strip()


def _hidden(text: str) -> str:
    """URLs without the user names and passwords that they may hold."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)


def _host_and_path(url: str) -> tuple[str, str]:
    scp = _SCP.match(url)
    if scp and "://" not in url:
        return scp["host"], scp["path"]
    parts = urlsplit(url)
    return parts.hostname or "", parts.path


def _repo_name(url: str) -> str:
    """owner/name of a remote's URL or path."""
    parts = [part for part in _host_and_path(url)[1].removesuffix("/").removesuffix(".git").split("/") if part]
    return "/".join(parts if _host_and_path(url)[0] else parts[-2:]) if len(parts) > 1 else f"local/{''.join(parts) or 'repo'}"


def _provider(url: str) -> str:
    host = _host_and_path(url)[0]
    return next((name for name in ("github", "gitlab") if name in host), "local")
