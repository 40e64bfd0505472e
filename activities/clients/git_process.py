"""Running git: nothing of the user's configuration, no hooks, no prompts, a time limit, and errors that are ours."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from activities.base import heartbeat
from activities.clients.archive import Beat
from activities.clients.attended import attended
from activities.clients.clone_url import CloneUrl, hidden
from pipelines.errors import SourceError, SwitchyardError, Unavailable

_KEPT = {"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"}
_CONFIG = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
}
_HELPER = (
    '!f() { test "$1" = get || return 0; '
    'printf "username=%s\\npassword=%s\\n" "$SWITCHYARD_GIT_USER" "$SWITCHYARD_GIT_PASSWORD"; }; f'
)
_DENIED = "authentication failed|could not read (username|password)|permission denied|access denied|host key verif|error: 40[13]"
_FINAL = (
    (re.compile(r"not found|does not appear to be a git repository|does not exist", re.I), "Check the repository's address"),
    (re.compile(_DENIED, re.I), "Check that the worker may read the repository"),
    (re.compile(r"cannot describe|no tags can describe", re.I), "Tag a commit with a version"),
    (re.compile(r"dubious ownership", re.I), "Let the worker's user own the repository, or clone it by https or ssh"),
    (re.compile(r"not our ref|couldn't find remote ref|missing object", re.I), "Check that the commit was pushed"),
    (re.compile(r"transport '.*' not allowed|unsupported protocol", re.I), "Use https, ssh or file"),
    (re.compile(r"mismatched algorithms", re.I), "Give the commit id in the repository's own format"),
)


class Git:
    """`timeout`: seconds for one command; `beat` is called about once a second while it runs."""

    def __init__(self, timeout: float = 540.0, beat: Beat = heartbeat) -> None:
        self._timeout = timeout
        self._beat = beat

    def run(self, *arguments: str, url: CloneUrl | None = None, hold: Sequence[int] = (), stdin: bytes = b"") -> bytes:
        """Standard output. `url`: whose login git may use; `hold`: locks that last as long as git does, even if we are killed.

        Raises SourceError when git's answer is final, Unavailable when it may be another one later.
        """
        try:
            process = subprocess.Popen(
                ["git", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(url),
                start_new_session=True,
                pass_fds=tuple(hold),
            )
        except FileNotFoundError:
            raise Unavailable("git is not installed", "Install it: apt-get install git") from None
        out, error = self._finish(process, _verb(arguments), stdin)
        if process.returncode:
            raise translated(_verb(arguments), error.decode("utf-8", "replace"), process.returncode, url)
        return out

    def says(self, *arguments: str) -> bool:
        """Whether git answers yes to a question about a repository on this host."""
        try:
            self.run(*arguments)
        except (SourceError, Unavailable):
            return False
        return True

    def _finish(self, process: subprocess.Popen[bytes], verb: str, stdin: bytes) -> tuple[bytes, bytes]:
        try:
            return attended(process, stdin, self._timeout, self._beat)
        except TimeoutError as error:
            raise Unavailable(f"git {verb} {error}") from None


def environment(url: CloneUrl | None = None) -> dict[str, str]:
    """The whole environment of a git process. A login is in it rather than on the command line, which everybody can read, and is
    given to the URL's own host only."""
    config = dict(_CONFIG)
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    own |= {
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "SSH_ASKPASS_REQUIRE": "never",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }
    own.setdefault("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
    if url and (url.user or url.password):
        config[f"credential.https://{urlsplit(url.clean).netloc}.helper"] = _HELPER
        own |= {"SWITCHYARD_GIT_USER": url.user, "SWITCHYARD_GIT_PASSWORD": url.password}
    own["GIT_CONFIG_COUNT"] = str(len(config))
    for number, (key, value) in enumerate(config.items()):
        own |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return own


def translated(verb: str, error: str, status: int, url: CloneUrl | None = None) -> SwitchyardError:
    """What git's standard error means to us; the login is never in it."""
    text = hidden(error)
    for secret in (url.password, url.user) if url else ():
        text = text.replace(secret, "***") if secret else text
    lines = [line for line in text.strip().splitlines() if line.startswith(("fatal:", "error:", "remote:"))]
    why = (lines or text.strip().splitlines() or [f"status {status}"])[0][:300]
    where = f" of {url.clean}" if url else ""
    for pattern, remedy in _FINAL:
        if pattern.search(text):
            return SourceError(f"git {verb}{where}: {why}", remedy)
    return Unavailable(f"git {verb}{where}: {why}")


def _verb(arguments: Sequence[str]) -> str:
    """The subcommand: what comes after the options of git itself."""
    rest = list(arguments)
    while rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in ("-C", "-c") else rest[1:]
    return rest[0]


def at(folder: Path) -> tuple[str, str]:
    return "-C", str(folder)
