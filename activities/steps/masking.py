"""Secrets are taken out of a step's output before it is written. Standard library only: this runs in the supervisor.

Masked are: each secret as it is, each line of it (of at least four characters), its base64 at any alignment and wrapped as
`base64` and `openssl` wrap, its hexadecimal, URL-encoded and JSON-escaped forms, and, whatever the secrets are, texts that have
the shape of a well-known token and private keys.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = b"***"
LEAST = 4
"""Characters of the shortest text that is masked: a shorter one would garble every log."""

_SHAPES: tuple[tuple[str, str], ...] = (
    ("ghp_", "[A-Za-z0-9]{30,}"),
    ("gho_", "[A-Za-z0-9]{30,}"),
    ("ghu_", "[A-Za-z0-9]{30,}"),
    ("ghs_", "[A-Za-z0-9._-]{30,}"),
    ("ghr_", "[A-Za-z0-9]{30,}"),
    ("github_pat_", "[A-Za-z0-9_]{22,}"),
    ("glpat-", "[A-Za-z0-9_.-]{20,}"),
    ("AKIA", "[0-9A-Z]{16}"),
    ("ASIA", "[0-9A-Z]{16}"),
    ("xoxb-", "[A-Za-z0-9-]{10,}"),
    ("xoxp-", "[A-Za-z0-9-]{10,}"),
    ("xapp-", "[A-Za-z0-9-]{10,}"),
    ("AIza", "[0-9A-Za-z_-]{35}"),
    ("npm_", "[A-Za-z0-9]{36}"),
    ("pypi-", "[A-Za-z0-9_-]{50,}"),
    ("sk_live_", "[0-9a-zA-Z]{20,}"),
    ("rk_live_", "[0-9a-zA-Z]{20,}"),
    ("eyJ", r"[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
)
"""(how it starts, what follows): GitHub, GitLab, AWS, Slack, Google, npm, PyPI, Stripe, JSON Web Tokens."""

_STARTS = (*(start.encode() for start, _ in _SHAPES), b"-----BEGIN ")
_SHAPE = re.compile("|".join(re.escape(start) + rest for start, rest in _SHAPES).encode())
_URL_PASSWORD = re.compile(rb"(?<=://)([^\s/:@]{0,200}):([^\s/@]{1,500})@")
_KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_KEY_END = b"PRIVATE KEY-----"
_LONGEST_KEY = 400
"""Lines after which a private key that never ends is no longer believed in."""


def variants(secret: str) -> set[bytes]:
    """All the forms in which a secret is looked for."""
    whole = {secret, secret.strip()}
    lines = {line for part in secret.splitlines() for line in (part, part.strip())}
    found: set[bytes] = set()
    for text in whole | lines:
        if len(text.strip()) >= LEAST:
            found |= set(_forms(text))
    return {form for form in found if len(form) >= LEAST and b"\n" not in form and b"\r" not in form}


def _forms(text: str) -> Iterator[bytes]:
    raw = text.encode("utf-8", "surrogateescape")
    yield raw
    yield from _base64(raw)
    yield from _base64(raw + b"\n")
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for safe in ("", "/", "-._~!$&'()*+,;=:@/"):
        encoded = quote(raw, safe=safe)
        yield encoded.encode()
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded).encode()
    yield quote_plus(raw).encode()
    for ascii_only in (True, False):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield escaped.encode("utf-8", "surrogateescape")
        yield escaped.replace("/", "\\/").encode("utf-8", "surrogateescape")


def _base64(raw: bytes) -> Iterator[bytes]:
    """Whole, in wrapped lines, and the part that is the same whatever stands before and after (three alignments)."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw)
        yield whole
        for width in (76, 64):
            if len(whole) > width:
                yield from (whole[start : start + width] for start in range(0, len(whole), width))
        for shift in range(3):
            core = encode(b"\0" * shift + raw)[(0, 2, 3)[shift] :].rstrip(b"=")
            if (len(raw) + shift) % 3:
                core = core[:-1]
            if len(core) >= 2 * LEAST:
                yield core


class Masker:
    """Masks whole lines, and says how much of an unfinished line can be shown without tearing a secret apart."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._exact = sorted({form for secret in secrets for form in variants(secret)}, key=len, reverse=True)
        self._secret = re.compile(b"|".join(map(re.escape, self._exact))) if self._exact else None
        self._overlapping = re.compile(b"(?=(" + self._secret.pattern + b"))") if self._secret else None
        self._in_key = 0

    @property
    def longest(self) -> int:
        return len(self._exact[0]) if self._exact else 0

    def lines(self, text: bytes) -> bytes:
        """Masked; `text` is one or more whole lines, in the order of the output."""
        if self._in_key or b"PRIVATE KEY-----" in text:
            text = b"".join(self._without_keys(text))
        return self.text(text)

    def text(self, text: bytes) -> bytes:
        """Masked, without regard to private keys over several lines."""
        if self._secret is not None and self._secret.search(text):
            text = self._without_secrets(text)
        if _SHAPE.search(text):
            text = _SHAPE.sub(MASK, text)
        return _URL_PASSWORD.sub(rb"\1:" + MASK + b"@", text) if b"://" in text else text

    def string(self, text: str) -> str:
        return self.text(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def _without_secrets(self, text: bytes) -> bytes:
        parts, shown = [], 0
        for start, end in self._found(text):
            parts += [text[shown:start], MASK]
            shown = end
        return b"".join([*parts, text[shown:]])

    def _without_keys(self, text: bytes) -> Iterator[bytes]:
        for line in text.splitlines(keepends=True):
            if self._in_key:
                self._in_key = 0 if _KEY_END in line or self._in_key > _LONGEST_KEY else self._in_key + 1
                yield MASK + (b"\n" if line.endswith(b"\n") else b"")
            elif match := _KEY_BEGIN.search(line):
                self._in_key = 0 if _KEY_END in line[match.end() :] else 1
                yield line[: match.start()] + MASK + (b"\n" if line.endswith(b"\n") else b"")
            else:
                yield line

    def safe(self, partial: bytes) -> int:
        """How many bytes of an unfinished line can be masked and shown now: no secret or token can begin before and go on
        after them."""
        if self._in_key or b"-----BEGIN" in partial:
            return 0
        tail = max(map(partial.rfind, (b" ", b"\t"))) + 1
        begun = next((at for at in range(tail, len(partial)) if _may_start(partial[at : at + 12])), len(partial))
        cut = tail if b"://" in partial[tail:] else begun
        cut = min(cut, len(partial) - self._unfinished(partial))
        for start, end in reversed(self._found(partial)):
            cut = start if start < cut < end else cut
        return cut

    def forced(self, partial: bytes) -> int:
        """As `safe`, for a line that has become too long: never 0, and blind to token shapes and keys that cross the cut."""
        cut = len(partial) - self._unfinished(partial)
        return next((end for start, end in self._found(partial) if start < cut < end), cut)

    def _unfinished(self, partial: bytes) -> int:
        """Length of the longest suffix that a secret could begin with."""
        keep = 0
        for form in self._exact:
            sizes = range(min(len(form) - 1, len(partial)), keep, -1)
            keep = next((size for size in sizes if partial.endswith(form[:size])), keep)
        return keep

    def _found(self, text: bytes) -> list[tuple[int, int]]:
        """Where secrets are: sorted, overlapping and touching ones united, so that of two that overlap neither end is left."""
        spans: list[tuple[int, int]] = []
        if self._overlapping is None:
            return spans
        for match in self._overlapping.finditer(text):
            start, end = match.span(1)
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((start, end))
        return spans


def _may_start(text: bytes) -> bool:
    return any(text.startswith(start) or start.startswith(text) for start in _STARTS)
