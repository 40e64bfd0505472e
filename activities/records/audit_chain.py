"""Whether a chain of hashes is whole, and if not, which record was changed, removed, inserted or moved. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from pipelines.messages.common import Message

GENESIS = "0" * 64
"""What the first record has before it."""


class Witness(Message):
    """Length and last hash of the chain at some time."""

    count: int
    hash: str


class AuditProblem(Message):
    """`seq` is where it is (or was); `key` the record's, when it is there. truncated: the end of the chain is missing.
    witness: the chain is not the one that a witness has seen."""

    kind: Literal["changed", "removed", "inserted", "reordered", "truncated", "witness"]
    seq: int
    key: str = ""
    message: str


class AuditReport(Message):
    """`count` records found; `head` is the last one's hash."""

    ok: bool
    count: int
    head: str
    problems: list[AuditProblem] = Field(default_factory=list, description="in the order of the chain")


@dataclass(frozen=True)
class Link:
    """What of a record the chain is made of. `sound`: its hash fits its content."""

    seq: int
    key: str
    previous: str
    hash: str
    sound: bool


def examine(links: Sequence[Link], head: Witness | None, witnesses: Sequence[Witness]) -> AuditReport:
    """`links` in the order of their numbers; `head` is what the database says that the chain must end with."""
    newest = links[-1] if links else None
    end = head or (Witness(count=newest.seq, hash=newest.hash) if newest else Witness(count=0, hash=GENESIS))
    chain, rewritten = _walk(links, end)
    problems = [*_missing(links, end.count), *_unsound(links, rewritten), *_strangers(links, chain), *_moved(chain)]
    if head is None and links:
        problems.append(AuditProblem(kind="truncated", seq=end.count, message="the head of the chain is missing"))
    problems += [problem for witness in witnesses for problem in _contradicts(links, witness)]
    problems.sort(key=lambda problem: problem.seq)
    return AuditReport(ok=not problems, count=len(links), head=newest.hash if newest else GENESIS, problems=problems)


def _walk(links: Sequence[Link], end: Witness) -> tuple[list[Link], set[int]]:
    """The chain from its end back to its first record, by hashes alone: the number that a record bears plays no part.

    Where a record's predecessor is not there, it goes on with the nearest number below. When that is the very next one, its
    record stands where another was: these numbers are the second result. The chain comes back oldest first.
    """
    by_hash = {link.hash: link for link in links}
    left = {link.seq: link for link in links}
    chain: list[Link] = []
    rewritten: set[int] = set()
    wanted, above = end.hash, end.count + 1
    while wanted != GENESIS:
        link = by_hash.get(wanted)
        if link is None or link.seq not in left:
            link = _nearest(links, left, above)
            if link is not None and link.seq == above - 1:
                rewritten.add(link.seq)
        if link is None:
            break
        chain.append(left.pop(link.seq))
        wanted, above = link.previous, link.seq
    return chain[::-1], rewritten


def _nearest(links: Sequence[Link], left: dict[int, Link], above: int) -> Link | None:
    """The record with the highest number under `above` that is not in the chain yet."""
    for link in reversed(links[: bisect_left(links, above, key=lambda link: link.seq)]):
        if link.seq in left:
            return link
    return None


def _missing(links: Sequence[Link], count: int) -> Iterable[AuditProblem]:
    """Numbers from 1 to `count` that no record bears."""
    before = 0
    for seq in [*(link.seq for link in links if link.seq <= count), count + 1]:
        if seq > before + 1:
            which = f"record {before + 1} is" if seq == before + 2 else f"records {before + 1} to {seq - 1} are"
            kind: Literal["truncated", "removed"] = "truncated" if seq == count + 1 else "removed"
            yield AuditProblem(kind=kind, seq=before + 1, message=f"{which} missing")
        before = seq


def _unsound(links: Sequence[Link], rewritten: set[int]) -> Iterable[AuditProblem]:
    for link in links:
        if not link.sound:
            text = f"record {link.seq} ({link.key}) does not have the content that it was sealed with"
        elif link.seq in rewritten:
            text = f"record {link.seq} ({link.key}) is not the one that the record after it was sealed with"
        else:
            continue
        yield AuditProblem(kind="changed", seq=link.seq, key=link.key, message=text)


def _strangers(links: Sequence[Link], chain: Sequence[Link]) -> Iterable[AuditProblem]:
    known = {link.seq for link in chain}
    for link in links:
        if link.seq not in known:
            text = f"record {link.seq} ({link.key}) does not belong to the chain"
            yield AuditProblem(kind="inserted", seq=link.seq, key=link.key, message=text)


def _moved(chain: Sequence[Link]) -> Iterable[AuditProblem]:
    for link, seq in zip(chain, sorted(link.seq for link in chain), strict=True):
        if link.seq != seq:
            text = f"record {link.seq} ({link.key}) was written as record {seq}"
            yield AuditProblem(kind="reordered", seq=link.seq, key=link.key, message=text)


def _contradicts(links: Sequence[Link], witness: Witness) -> Iterable[AuditProblem]:
    if witness.count == 0 or any(link.hash == witness.hash for link in links):
        return
    if witness.count > len(links):
        text = f"a witness has seen {witness.count} records, there are {len(links)}"
        yield AuditProblem(kind="truncated", seq=len(links) + 1, message=text)
    else:
        text = f"record {witness.count} is not the one that a witness has seen: the chain was written anew"
        yield AuditProblem(kind="witness", seq=witness.count, message=text)
