"""Clone URLs: which are allowed, and what of them may be seen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from pipelines.errors import SourceError

PROTOCOLS = frozenset({"https", "ssh", "file"})
REMOTE = frozenset({"https", "ssh"})
_SCP = re.compile(r"(?:[A-Za-z0-9._+-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?![-/:])[^:].*")
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
_REMEDY = "Use https://host/owner/name.git, ssh://git@host/owner/name.git or file:///path"


def hidden(text: str) -> str:
    """Text with the user names and passwords of its URLs left out."""
    return _LOGIN.sub("", text)


@dataclass(frozen=True, repr=False)
class CloneUrl:
    """`clean` may be shown and stored; `user` and `password` are the login that an https URL held, both '' without one."""

    clean: str
    protocol: str
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"CloneUrl({self.clean!r})"

    @classmethod
    def parse(cls, text: str, allowed: frozenset[str] = PROTOCOLS) -> CloneUrl:
        """Raises SourceError for a protocol that is not allowed and for what git could take for an option or a command."""
        shown = hidden(text)[:200]
        if not text or text.startswith("-") or not text.isprintable():
            raise SourceError(f"{shown!r} is not a clone URL", _REMEDY)
        found = _with_scheme(text) if "://" in text else _without_scheme(text)
        if found is None or found.protocol not in allowed:
            raise SourceError(f"{shown!r} is not a clone URL that is allowed here", _REMEDY)
        return found

    def submodule(self, url: str) -> CloneUrl:
        """The URL that `.gitmodules` gives, relative to this repository or not. A repository from the network cannot name files
        of this host. Raises SourceError as `parse`."""
        allowed = PROTOCOLS if self.protocol == "file" else REMOTE
        found = CloneUrl.parse(_join(self.clean, url) if url.startswith(("./", "../")) else url, allowed)
        same = urlsplit(found.clean).netloc == urlsplit(self.clean).netloc and found.protocol == self.protocol
        return CloneUrl(found.clean, found.protocol, self.user, self.password) if same and not found.password else found


def _with_scheme(text: str) -> CloneUrl | None:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.query or parts.fragment or host.startswith(("-", ".")) or (parts.scheme == "file") != (not host):
        return None
    if parts.scheme == "https":
        place = f"[{host}]" if ":" in host else host
        clean = urlunsplit(("https", f"{place}:{port}" if port else place, parts.path, "", ""))
        return CloneUrl(clean, "https", unquote(parts.username or ""), unquote(parts.password or ""))
    if parts.scheme == "ssh":
        login, _, place = parts.netloc.rpartition("@")
        user = login.partition(":")[0]
        return None if user.startswith("-") else CloneUrl(f"ssh://{user + '@' if user else ''}{place}{parts.path}", "ssh")
    return CloneUrl(text, parts.scheme)


def _without_scheme(text: str) -> CloneUrl | None:
    if PurePosixPath(text).is_absolute():
        return CloneUrl(text, "file")
    return CloneUrl(text, "ssh") if _SCP.fullmatch(text) else None


def _join(base: str, relative: str) -> str:
    """As git does it: each '../' takes one part off the superproject's URL."""
    base = base.rstrip("/")
    while relative.startswith(("./", "../")):
        if relative.startswith("../"):
            head, slash, _ = base.rpartition("/")
            base = head if slash else base.partition(":")[0] + ":"
        relative = relative.partition("/")[2]
    return f"{base}{relative}" if base.endswith(":") else f"{base}/{relative}"
